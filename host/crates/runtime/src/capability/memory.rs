//! Memory. Bounded by default: one sum for all linear memories of an instance, and one for its tables.
//!
//! wasmtime's own limits count each memory by itself, so a component of many modules could have many times as much.

use wasmtime::ResourceLimiter;

/// Core instances, memories and tables that one component may have: far above what toolchains make, and low enough that
/// one plugin cannot take the whole pool.
const INSTANCES: usize = 64;

/// Counts what one attempt holds, and remembers whether it wanted more than it may have.
pub(crate) struct MemoryMeter {
    memory: Account,
    table: Account,
}

struct Account {
    held: usize,
    max: usize,
    refused: bool,
}

impl MemoryMeter {
    pub(crate) fn new(memory_bytes: usize, table_elements: usize) -> Self {
        let account = |max| Account { held: 0, max, refused: false };
        Self { memory: account(memory_bytes), table: account(table_elements) }
    }

    /// Whether the guest was refused memory.
    pub(crate) fn refused(&self) -> bool {
        self.memory.refused
    }
}

impl Account {
    fn grow(&mut self, current: usize, desired: usize) -> bool {
        let held = self.held.saturating_sub(current).saturating_add(desired);
        if held > self.max {
            self.refused = true;
            return false;
        }
        self.held = held;
        true
    }
}

impl ResourceLimiter for MemoryMeter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.memory.grow(current, desired))
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory.refused = true;
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.table.grow(current, desired))
    }

    fn instances(&self) -> usize {
        INSTANCES
    }

    fn tables(&self) -> usize {
        INSTANCES
    }

    fn memories(&self) -> usize {
        INSTANCES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memories_of_an_instance_are_summed() {
        let mut meter = MemoryMeter::new(100, 10);
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(meter.memory_growing(0, 40, None).unwrap());
        assert!(!meter.refused());
        assert!(!meter.memory_growing(60, 61, None).unwrap());
        assert!(meter.refused());
    }

    #[test]
    fn a_refused_table_is_not_told_as_memory() {
        let mut meter = MemoryMeter::new(100, 10);
        assert!(!meter.table_growing(0, 11, None).unwrap());
        assert!(!meter.refused());
    }
}
