//! Wakes the loops that would otherwise look only now and then.

use std::sync::Arc;

use tokio::sync::Notify;

/// Wakes loops. A wake-up is a hint: whoever is woken looks into the database. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Wake {
    dispatcher: Arc<Notify>,
    room: Arc<Notify>,
    promoter: Arc<Notify>,
    operator: Arc<Notify>,
    heartbeat: Arc<Notify>,
    shelver: Arc<Notify>,
}

impl Wake {
    /// There may be something to claim.
    pub(crate) fn dispatcher(&self) {
        self.dispatcher.notify_one();
    }

    /// There is room to run something.
    pub(crate) fn room(&self) {
        self.room.notify_one();
    }

    /// There may be a job that is due sooner than the promoter expects.
    pub(crate) fn promoter(&self) {
        self.promoter.notify_one();
    }

    /// There is an operation to do.
    pub(crate) fn operator(&self) {
        self.operator.notify_one();
    }

    /// A job that runs here may have been cancelled on another host.
    pub(crate) fn heartbeat(&self) {
        self.heartbeat.notify_one();
    }

    /// Other versions of tasks may be in service.
    pub(crate) fn shelver(&self) {
        self.shelver.notify_one();
    }

    /// What the shelver waits for.
    pub(crate) fn for_shelver(&self) -> Arc<Notify> {
        self.shelver.clone()
    }

    /// What the dispatcher waits for. One waiter; a wake-up while nobody waits is kept.
    pub(crate) fn for_dispatcher(&self) -> Arc<Notify> {
        self.dispatcher.clone()
    }

    /// What the dispatcher waits for too.
    pub(crate) fn for_room(&self) -> Arc<Notify> {
        self.room.clone()
    }

    /// What the operator waits for.
    pub(crate) fn for_operator(&self) -> Arc<Notify> {
        self.operator.clone()
    }

    /// What the promoter waits for.
    pub(crate) fn for_promoter(&self) -> Arc<Notify> {
        self.promoter.clone()
    }

    /// What the heartbeat waits for.
    pub(crate) fn for_heartbeat(&self) -> Arc<Notify> {
        self.heartbeat.clone()
    }
}
