//! Threads that hash passwords, so that everything else goes on meanwhile.

use std::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use countersign::Wiped;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::password::{self, Cost, Memory};

/// Too many passwords wait already, or for too long, or there is no memory to
/// hash one.
#[derive(Debug)]
pub(crate) struct Busy;

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// Hashes and verifies passwords on threads of its own, which yield to all
/// others.
pub(crate) struct Hasher {
    jobs: SyncSender<Job>,
    cost: Cost,
    clock: Clock,
}

impl Hasher {
    /// # Errors
    ///
    /// The system gives no thread.
    pub(crate) fn new(
        cost: Cost,
        threads: Option<NonZero<usize>>,
        queue: usize,
        clock: Clock,
    ) -> std::io::Result<Self> {
        let (jobs, receiver) = sync_channel(queue);
        let receiver = Arc::new(Mutex::new(receiver));
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        // One core is left to the requests that need no hash.
        let threads = threads.map_or(cores.saturating_sub(1).max(1), NonZero::get);
        for number in 0..threads {
            let receiver = Arc::clone(&receiver);
            let name = format!("hash-{number}");
            thread::Builder::new().name(name).spawn(move || work(&receiver, &cost))?;
        }
        Ok(Self { jobs, cost, clock })
    }

    /// Whether the password is that of the hash. Without a hash none is, and to
    /// find out takes as long. It is not begun after `until`, milliseconds since
    /// 1970.
    pub(crate) async fn verify(
        &self,
        password: Arc<Wiped>,
        phc: Option<String>,
        until: i64,
    ) -> Result<bool, Busy> {
        let (cost, clock) = (self.cost, self.clock.clone());
        let verified = self.run(move |memory| {
            let is_late = clock.now() > until;
            (!is_late).then(|| password::verify(&password, phc.as_deref(), &cost, memory))
        });
        verified.await?.ok_or(Busy)?.map_err(failed)
    }

    /// The PHC string of a password, in NFC.
    pub(crate) async fn hash(&self, password: Arc<Wiped>) -> Result<String, Busy> {
        let cost = self.cost;
        let hash = self.run(move |memory| password::hash(&password, &cost, memory)).await?;
        hash.map_err(failed)
    }

    /// Whether a hash has the parameters of today.
    pub(crate) fn is_up_to_date(&self, phc: &str) -> bool {
        !password::is_outdated(phc, &self.cost)
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let (done, result) = oneshot::channel();
        let job = Box::new(move |memory: &mut Memory| {
            // Nobody waits any more if it fails.
            let _ = done.send(job(memory));
        });
        match self.jobs.try_send(job) {
            Ok(()) => result.await.map_err(|_| Busy),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(Busy),
        }
    }
}

fn failed(error: password::Failed) -> Busy {
    tracing::error!(%error);
    Busy
}

fn work(jobs: &Mutex<Receiver<Job>>, cost: &Cost) {
    // On Linux, of this thread alone. Where it cannot be, it works as others do.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(10);
    let mut memory = Memory::default();
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // One that panics tells the one who waits by dropping the channel.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(&mut memory)));
        // A hash that was imported may have taken much more than others do.
        memory.shrink_to(cost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Ten wrong passwords lock an account because each has a reservation. The
    // queue was slower than reservations last, and others got theirs meanwhile.
    #[tokio::test]
    async fn what_waits_for_too_long_is_not_verified() {
        let (clock, cost) = (Clock::default(), Cost::new(8, 1, 1).unwrap());
        let hasher = Hasher::new(cost, Some(NonZero::<usize>::MIN), 4, clock.clone()).unwrap();
        let password = Arc::new(countersign::nfc("password"));
        let phc = Some(hasher.hash(Arc::clone(&password)).await.unwrap());
        let until = clock.now() + 1_000_000;
        let verify = |until| hasher.verify(Arc::clone(&password), phc.clone(), until);
        assert!(verify(until).await.unwrap());
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let blocked = hasher.run(move |_| wait.recv().is_ok());
        let go = async {
            clock.advance(1_000_001);
            go.send(()).unwrap();
        };
        let (blocked, late, in_time, ()) =
            tokio::join!(blocked, verify(until), verify(i64::MAX), go);
        assert!(blocked.unwrap() && late.is_err() && in_time.unwrap());
    }
}
