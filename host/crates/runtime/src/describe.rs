//! What a plugin says of itself, asked in an instance without any grant.

use std::sync::Arc;

use wasmtime::Engine;
use windlass_model::{TaskDescription, TaskName};

use crate::bindings::TaskPre;
use crate::capability::secrets::Handout;
use crate::egress::client::Egress;
use crate::error::LoadFault;
use crate::grants::Grants;
use crate::guest::{self, Guest, Reach, Reacher};
use crate::limits::Limits;
use crate::meter::Metered;
use crate::outcome;
use crate::settings::RuntimeSettings;
use crate::text;
use crate::threads::GuestThreads;

/// Calls `describe`, if the component has it.
pub(crate) async fn describe(
    task: &TaskPre<Guest>,
    name: &TaskName,
    limits: &Limits,
    settings: &Arc<RuntimeSettings>,
    egress: &Arc<Egress>,
    threads: &GuestThreads,
) -> Result<TaskDescription, LoadFault> {
    if task.instance_pre().component().get_export_index(None, "describe").is_none() {
        return Ok(TaskDescription::default());
    }
    let call = ask(task.clone(), name.clone(), limits.clone(), Arc::clone(settings), Arc::clone(egress));
    let said = threads.spawn(tokio::time::timeout(limits.describe_time, call)).await;
    let text = said
        .map_err(|panic| LoadFault::Host(panic.into()))?
        .map_err(|_| LoadFault::DescribeTimeout { max: limits.describe_time })??;
    if text.len() > limits.description_bytes {
        return Err(LoadFault::DescriptionTooLarge { found: text.len(), max: limits.description_bytes });
    }
    Ok(TaskDescription::parse(&text)?)
}

async fn ask(
    task: TaskPre<Guest>,
    name: TaskName,
    limits: Limits,
    settings: Arc<RuntimeSettings>,
    egress: Arc<Egress>,
) -> Result<String, LoadFault> {
    let engine: &Engine = task.engine();
    let log = guest::log_to_nobody(&limits);
    let wasi = guest::bare_wasi(name.as_str(), &log);
    let who = Reacher { plugin: &name, log: &log, limits: &limits, usage: Arc::default(), deadline: None };
    let reach = Reach::of(who, &Grants::default(), &Handout::default(), &egress, settings.clock);
    let mut store = Guest::new(wasi, (Vec::new(), None), reach, &limits, None).into_store(engine, &limits);
    let cpu = Arc::clone(&store.data().cpu);
    let call = async {
        Guest::refuel(&mut store, limits.fuel, settings.fuel)?;
        let instance = task.instance_pre().instantiate_async(&mut store).await?;
        let describe = instance.get_typed_func::<(), (String,)>(&mut store, "describe")?;
        describe.call_async(&mut store, ()).await
    };
    let answer = Metered::new(std::pin::pin!(call), cpu).await;
    log.finish();
    let wanted_memory = store.data().memory.refused().is_some();
    match answer {
        Ok((text,)) => Ok(text),
        Err(error) if outcome::is_hosts_doing(&error) => Err(LoadFault::Host(error.into())),
        Err(_) if wanted_memory => {
            let max = text::size(limits.memory_bytes as u64);
            Err(LoadFault::Describe { message: format!("it wanted more memory than its limit of {max}") })
        }
        Err(error) => Err(LoadFault::Describe { message: outcome::trap_message(&error, &log.tail()) }),
    }
}
