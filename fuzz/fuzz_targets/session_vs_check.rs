//! Any edits of a text field: after them a session reports what a one-shot
//! check does, and says which checks turned.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/common/script.rs"]
mod script;

static SETTINGS: LazyLock<Vec<script::Setting>> = LazyLock::new(script::settings);

fuzz_target!(|data: &[u8]| script::play(data, &SETTINGS, &mut script::Seen::default()));
