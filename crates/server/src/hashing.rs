//! Threads that hash passwords, so that everything else goes on meanwhile.

use std::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use countersign::Wiped;
use tokio::sync::oneshot;

use crate::password::{self, Cost, Memory};

/// Too many passwords wait already, or there is no memory to hash one.
#[derive(Debug)]
pub(crate) struct Busy;

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// Hashes and verifies passwords on threads of its own, which yield to all
/// others.
pub(crate) struct Hasher {
    jobs: SyncSender<Job>,
    cost: Cost,
}

impl Hasher {
    /// # Errors
    ///
    /// The system gives no thread.
    pub(crate) fn new(
        cost: Cost,
        threads: Option<NonZero<usize>>,
        queue: usize,
    ) -> std::io::Result<Self> {
        let (jobs, receiver) = sync_channel(queue);
        let receiver = Arc::new(Mutex::new(receiver));
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        // One core is left to the requests that need no hash.
        let threads = threads.map_or(cores.saturating_sub(1).max(1), NonZero::get);
        for number in 0..threads {
            let receiver = Arc::clone(&receiver);
            let name = format!("hash-{number}");
            thread::Builder::new().name(name).spawn(move || work(&receiver))?;
        }
        Ok(Self { jobs, cost })
    }

    /// Whether the password is that of the hash. Without a hash none is, and to
    /// find out takes as long.
    pub(crate) async fn verify(
        &self,
        password: Arc<Wiped>,
        phc: Option<String>,
    ) -> Result<bool, Busy> {
        let cost = self.cost;
        let verified = self
            .run(move |memory| password::verify(&password, phc.as_deref(), &cost, memory))
            .await?;
        verified.map_err(failed)
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

fn work(jobs: &Mutex<Receiver<Job>>) {
    // On Linux, of this thread alone. Where it cannot be, it works as others do.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(10);
    let mut memory = Memory::default();
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // One that panics tells the one who waits by dropping the channel.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(&mut memory)));
    }
}
