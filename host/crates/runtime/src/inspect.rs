//! What can be known of a component before it is served: for its author, and for the operator who is handed it.

use std::path::Path;

use serde::Serialize;
use wasmtime::component::Component as Compiled;
use windlass_model::{JsonText, TaskDescription, TaskName};

use crate::compile::{import_names, imports};
use crate::describe::describe;
use crate::engine::{MEMORIES, TABLE_ELEMENTS, TABLES};
use crate::error::LoadFault;
use crate::grants::Grants;
use crate::imports::is_offered;
use crate::needs;
use crate::schema::ArgsSchema;
use crate::version::{Component, Loader, PAGE, check_memory, grants_file};

/// What was found out about a component. Each step that can be done is done, so that all faults are told at once.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Inspection {
    /// The task that it would be: the file's name.
    pub task: String,
    /// The SHA-256 of its bytes, in hexadecimal; absent if it could not be read.
    pub digest: Option<String>,
    /// How many bytes it has.
    pub bytes: u64,
    /// What it imports, in its own order.
    pub imports: Vec<Import>,
    /// What each instance takes of the pool; absent if that cannot be told before it runs.
    pub pool: Option<PoolShare>,
    /// What an attempt may use, by the grants file and the operator's settings.
    pub limits: Option<JsonText>,
    /// What it was granted.
    pub grants: Option<JsonText>,
    /// What it says of itself.
    pub description: Option<TaskDescription>,
    /// The lines that its grants file lacks, to be pasted.
    pub lacking: Option<String>,
    /// Why it cannot be served, in words. Empty if it can.
    pub faults: Vec<String>,
}

/// An interface that a component imports.
#[derive(Clone, Debug, Serialize)]
pub struct Import {
    /// Its name with its version.
    pub name: String,
    /// Whether this host has it in that version.
    pub is_offered: bool,
}

/// What an instance takes from its start on, and what there is for each.
#[derive(Clone, Debug, Serialize)]
pub struct PoolShare {
    /// Linear memories.
    pub memories: u32,
    /// How many there may be.
    pub memories_max: u32,
    /// What the largest of them has from the start, in bytes.
    pub memory_bytes: u64,
    /// What all of them together may grow to: the plugin's limit.
    pub memory_bytes_max: u64,
    /// Tables.
    pub tables: u32,
    /// How many there may be.
    pub tables_max: u32,
    /// What the largest of them has from the start, in elements.
    pub table_elements: u64,
    /// How many it may have.
    pub table_elements_max: u64,
}

impl PoolShare {
    fn fault(&self) -> Option<String> {
        let bounds = [
            (u64::from(self.memories), u64::from(self.memories_max), "memories"),
            (u64::from(self.tables), u64::from(self.tables_max), "tables"),
            (self.table_elements, self.table_elements_max, "elements in one table"),
        ];
        let (found, max, what) = bounds.into_iter().find(|(found, max, _)| found > max)?;
        Some(format!("an instance has {found} {what}, more than the {max} that the pool has for each"))
    }
}

impl Loader {
    /// Looks at a file, with its own grants file or another one.
    pub(crate) async fn inspect(&self, file: &Path, grants: Option<&Path>) -> Inspection {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut found = Inspection { task: stem.clone(), ..Inspection::default() };
        let name = TaskName::parse(&stem).map_err(|source| LoadFault::Name { stem, source });
        let name = found.take(name);
        let beside = grants_file(file);
        if let Some(missing) = grants.filter(|path| !path.exists()) {
            found.faults.push(format!("there is no grants file `{}`", missing.display()));
        }
        let grants = self.grants(grants.unwrap_or(&beside)).await;
        let grants = found.take(grants);
        if let Some(grants) = &grants {
            found.grants = Some(grants.shown());
            found.limits = Some(grants.limits(&self.around().bounds).shown());
        }
        let component = self.read(file).await;
        if let Some(component) = found.take(component) {
            found.digest = Some(component.digest.clone());
            found.bytes = component.bytes.len() as u64;
            self.inspect_component(&component, name, grants, &mut found).await;
        }
        found
    }

    async fn inspect_component(
        &self,
        component: &Component,
        name: Option<TaskName>,
        grants: Option<Grants>,
        found: &mut Inspection,
    ) {
        let compiled = self.compiler.component(component.bytes.clone(), &component.digest).await;
        let Some(compiled) = found.take(compiled) else { return };
        let import = |name: String| Import { is_offered: is_offered(&name), name };
        found.imports = import_names(&compiled).into_iter().map(import).collect();
        let grants = grants.unwrap_or_default();
        let limits = grants.limits(&self.around().bounds);
        found.pool = share(&compiled, limits.memory_bytes as u64);
        found.faults.extend(found.pool.as_ref().and_then(PoolShare::fault));
        let fits = check_memory(&compiled, &limits);
        let linked = self.compiler.link(&compiled);
        let (Some(()), Some(task), Some(name)) = (found.take(fits), found.take(linked), name) else { return };
        let described = describe(&task, &name, &limits, &self.settings, &self.egress, &self.threads).await;
        let Some(description) = found.take(described) else { return };
        if let Some(Err(fault)) = description.args_schema.as_ref().map(ArgsSchema::parse) {
            found.faults.push(fault.explain());
        }
        match needs::check(&name, description.wants.as_ref(), &imports(&task), &grants) {
            Err(LoadFault::Needs(lacking)) => {
                found.faults.push("it wants more than its grants file gives".to_owned());
                found.lacking = Some(lacking.lines());
            }
            other => drop(found.take(other)),
        }
        found.description = Some(description);
    }
}

impl Inspection {
    /// The value, or a fault more.
    fn take<T>(&mut self, value: Result<T, LoadFault>) -> Option<T> {
        value.map_err(|fault| self.faults.push(fault.explain())).ok()
    }
}

fn share(component: &Compiled, memory_bytes_max: u64) -> Option<PoolShare> {
    let required = component.resources_required()?;
    Some(PoolShare {
        memories: required.num_memories,
        memories_max: MEMORIES,
        memory_bytes: required.max_initial_memory_size.unwrap_or_default().saturating_mul(PAGE),
        memory_bytes_max,
        tables: required.num_tables,
        tables_max: TABLES,
        table_elements: required.max_initial_table_size.unwrap_or_default(),
        table_elements_max: TABLE_ELEMENTS as u64,
    })
}
