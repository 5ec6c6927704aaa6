//! Stub until the client commands are there.
pub(crate) mod client {
    pub(crate) async fn run(_command: super::Command) -> anyhow::Result<std::process::ExitCode> {
        anyhow::bail!("not there yet")
    }
}

#[derive(clap::Parser)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    Serve(crate::settings::ServeArgs),
    Run(crate::run::RunArgs),
    Check(crate::settings::ServeArgs),
    #[command(hide = true)]
    Nothing,
}
