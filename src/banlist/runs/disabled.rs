use crate::banlist::sort::Order;
use crate::error::Error;

/// No runs: everything is sorted in memory.
#[derive(Default)]
pub(in crate::banlist) struct Runs {}

/// There is none.
pub(in crate::banlist) enum Run {}

impl Runs {
    pub(in crate::banlist) const AVAILABLE: bool = false;

    pub(in crate::banlist) fn is_empty(&self) -> bool {
        true
    }

    pub(in crate::banlist) fn begin() -> Result<Run, Error> {
        Err(Error::list("this build of countersign has no feature `spill`"))
    }

    pub(in crate::banlist) fn end(&mut self, _: Order, run: Run) -> Result<(), Error> {
        match run {}
    }

    pub(in crate::banlist) fn each(
        &mut self,
        _: Order,
        _: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        Ok(())
    }
}

impl Run {
    pub(in crate::banlist) fn push(&mut self, _: &[u8]) -> Result<(), Error> {
        match *self {}
    }
}
