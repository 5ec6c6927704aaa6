//! What an attempt used, as JSON.

use serde::Serialize;
use utoipa::ToSchema;
use windlass_model::Bill;

/// What an attempt used.
#[derive(Serialize, ToSchema)]
#[schema(as = Bill)]
pub(crate) struct BillView {
    /// Microseconds to make the instance.
    instantiate_us: u64,
    /// Microseconds of a processor that the handler and the calls to the host on its thread took.
    cpu_us: u64,
    /// The most that its memories and tables held at once.
    peak_memory_bytes: u64,
    /// Bytes that it read from files.
    read_bytes: u64,
    /// Bytes that it wrote to files.
    written_bytes: u64,
    /// HTTP requests that it sent.
    http_requests: u64,
    /// Lines that it printed, with those that were not kept.
    log_lines: u64,
    /// Calls that it made to the host, growth of its memory among them.
    host_calls: u64,
}

impl From<Bill> for BillView {
    fn from(bill: Bill) -> Self {
        Self {
            instantiate_us: bill.instantiate_us,
            cpu_us: bill.cpu_us,
            peak_memory_bytes: bill.peak_memory_bytes,
            read_bytes: bill.read_bytes,
            written_bytes: bill.written_bytes,
            http_requests: bill.http_requests,
            log_lines: bill.log_lines,
            host_calls: bill.host_calls,
        }
    }
}
