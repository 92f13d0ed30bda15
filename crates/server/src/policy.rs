//! The policy that passwords are judged by; exchanged while requests run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use countersign::Engine;

/// Reads the policy and its lists, and compiles them. The error says what is
/// wrong, to whoever runs the service.
pub type Load = dyn Fn() -> Result<Engine, String> + Send + Sync;

/// An engine, and which one it is.
pub(crate) struct Loaded {
    engine: Engine,
    generation: u64,
}

impl Loaded {
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }
}

/// The engine of now.
pub(crate) struct Policies {
    current: ArcSwap<Loaded>,
    loaded: AtomicU64,
    load: Box<Load>,
}

impl Policies {
    /// # Errors
    ///
    /// The policy does not load.
    pub(crate) fn new(load: Box<Load>) -> Result<Self, String> {
        let engine = load()?;
        let current = ArcSwap::from_pointee(Loaded { engine, generation: 0 });
        Ok(Self { current, loaded: AtomicU64::new(0), load })
    }

    pub(crate) fn current(&self) -> Arc<Loaded> {
        self.current.load_full()
    }

    /// Loads it again; what does not load changes nothing.
    ///
    /// # Errors
    ///
    /// The policy does not load.
    pub(crate) fn reload(&self) -> Result<(), String> {
        let engine = (self.load)()?;
        let generation = self.loaded.fetch_add(1, Ordering::Relaxed) + 1;
        self.current.store(Arc::new(Loaded { engine, generation }));
        Ok(())
    }

    /// How many passwords of an account, the current one included, are looked
    /// at: as many as the policy or the service asks for.
    pub(crate) fn history(&self, asked: u32) -> u32 {
        self.current().engine().history().max(asked)
    }
}
