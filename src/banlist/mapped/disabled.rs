/// No file can be mapped, so there is no value of this type.
pub(in crate::banlist) enum Mapped {}

impl Mapped {
    pub(in crate::banlist) fn bytes(&self) -> &[u8] {
        match *self {}
    }
}
