//! Memory. Bounded by default: one sum for all linear memories and all tables of an instance.
//!
//! wasmtime's own limits count each memory by itself, so a component of many modules could have many times as much.

use wasmtime::ResourceLimiter;

/// Core instances, memories and tables that one component may have: far above what toolchains make, and low enough that
/// one plugin cannot take the whole pool.
const INSTANCES: usize = 64;

/// What an element of a table takes: a pointer. References to collected objects take half of that.
const ELEMENT: usize = 8;

/// Which bound refused a guest memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemoryRefusal {
    /// The plugin's limit on the sum.
    Sum,
    /// What one table of the pool has room for.
    Table,
}

/// Counts what one attempt holds, and remembers whether it wanted more than it may have.
pub(crate) struct MemoryMeter {
    held: usize,
    peak: usize,
    max: usize,
    refused: Option<MemoryRefusal>,
}

impl MemoryMeter {
    pub(crate) fn new(max: usize) -> Self {
        Self { held: 0, peak: 0, max, refused: None }
    }

    /// What refused the guest memory last, if something did.
    pub(crate) fn refused(&self) -> Option<MemoryRefusal> {
        self.refused
    }

    /// The most that it held at once, in bytes.
    pub(crate) fn peak(&self) -> usize {
        self.peak
    }

    fn grow(&mut self, current: usize, desired: usize) -> bool {
        let held = self.held.saturating_sub(current).saturating_add(desired);
        if held > self.max {
            self.refused = Some(MemoryRefusal::Sum);
            return false;
        }
        self.held = held;
        self.peak = self.peak.max(held);
        true
    }
}

impl ResourceLimiter for MemoryMeter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired))
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = Some(MemoryRefusal::Sum);
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(current.saturating_mul(ELEMENT), desired.saturating_mul(ELEMENT)))
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = Some(MemoryRefusal::Table);
        Ok(())
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
    fn the_memories_and_tables_of_an_instance_are_summed() {
        let mut meter = MemoryMeter::new(100);
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(meter.table_growing(0, 5, None).unwrap());
        assert_eq!(meter.refused(), None);
        assert!(!meter.memory_growing(60, 61, None).unwrap());
        assert_eq!(meter.refused(), Some(MemoryRefusal::Sum));
        assert_eq!(meter.peak(), 100);
    }

    #[test]
    fn a_table_alone_can_be_too_large() {
        let mut meter = MemoryMeter::new(100);
        assert!(!meter.table_growing(0, 13, None).unwrap());
        assert_eq!(meter.refused(), Some(MemoryRefusal::Sum));
    }

    #[test]
    fn what_was_refused_is_not_held() {
        let mut meter = MemoryMeter::new(100);
        assert!(!meter.memory_growing(0, 101, None).unwrap());
        assert!(meter.memory_growing(0, 100, None).unwrap());
        assert_eq!(meter.peak(), 100);
    }
}
