//! `countersign completions`

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::{Answer, Cli, output};

/// Prints a script that completes countersign's arguments in a shell.
#[derive(Args)]
#[command(after_help = "\
Examples:
  countersign completions bash > ~/.local/share/bash-completion/completions/countersign
  countersign completions zsh > \"${fpath[1]}/_countersign\"
  countersign completions fish > ~/.config/fish/completions/countersign.fish")]
pub(crate) struct Completions {
    /// The shell that will read it
    shell: Shell,
}

pub(crate) fn run(Completions { shell }: &Completions) -> Result<Answer, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(*shell, &mut Cli::command(), "countersign", &mut script);
    output::write(|stdout| std::io::Write::write_all(stdout, &script))?;
    Ok(Answer::Yes)
}
