//! The way of an export: count, read, sort if asked, write.

use std::borrow::Cow;
use std::fs;

use windlass_guest::{TaskError, cancelled};

use crate::Output;
use crate::cell::{Key, text};
use crate::columns::{Census, Projection, Values};
use crate::filter::Filter;
use crate::part::Part;
use crate::places::{Limits, Places};
use crate::records::Records;
use crate::request::{Args, Direction};
use crate::resume::Checkpoint;
use crate::sort::{Directed, Row, Sorter};
use crate::watch::{Meter, Watch, thousands};

pub(crate) fn export(args: &Args, places: &Places, limits: &Limits, watch: &dyn Watch) -> Result<Output, TaskError> {
    args.check()?;
    let result = Export::open(args, places, limits, watch).and_then(Export::run);
    if result == Err(cancelled()) {
        places.clear();
    }
    result
}

struct Export<'a> {
    args: &'a Args,
    places: &'a Places,
    limits: &'a Limits,
    watch: &'a dyn Watch,
    records: Records,
    projection: Projection,
    filter: Filter,
    order: Vec<(usize, Direction)>,
    /// The slots of the file's columns.
    columns: Vec<usize>,
    state: Checkpoint,
}

impl<'a> Export<'a> {
    /// Finds out what is to be done: from a checkpoint, or else by counting.
    fn open(args: &'a Args, places: &'a Places, limits: &'a Limits, watch: &'a dyn Watch) -> Result<Self, TaskError> {
        let mut projection = Projection::new();
        let filter = Filter::new(&args.filter, &mut projection)?;
        let order = args.order_by.iter().map(|order| (projection.slot(&order.column), order.direction)).collect();
        let records = Records::open(&places.data, &args.source)?;
        let state = match watch.load() {
            Some(state) if state.is_usable(args, records.stamp(), &places.part())? => state,
            _ => count(args, places, watch)?,
        };
        let columns = state.columns.iter().map(|name| projection.slot(name)).collect();
        Ok(Self { args, places, limits, watch, records, projection, filter, order, columns, state })
    }

    fn run(mut self) -> Result<Output, TaskError> {
        let part = if self.order.is_empty() { self.stream()? } else { self.sort()? };
        let step = self.last_step();
        Meter::new(self.watch, step).tick(99, 100, || "Writing csv".to_owned())?;
        let bytes = part.finish(&self.places.out.join(&self.args.file_name))?;
        self.watch.report(step, 100, "Writing csv".to_owned());
        let Checkpoint { rows, columns, .. } = self.state;
        Ok(Output { rows, columns, bytes, file: self.args.file_name.clone() })
    }

    const fn last_step(&self) -> u32 {
        if self.order.is_empty() { 3 } else { 4 }
    }

    /// Writes the records as they are read, and keeps a checkpoint now and then.
    fn stream(&mut self) -> Result<Part, TaskError> {
        let path = self.places.part();
        let mut part = match self.state.records {
            0 => Part::start(&path, &self.state.columns)?,
            _ => Part::resume(&path, self.state.bytes)?,
        };
        let done = self.state.records;
        let mut meter = Meter::new(self.watch, 2);
        while let Some(record) = self.records.next()? {
            meter.tick(record.number, self.state.total, || reading(record.number, self.state.total))?;
            if record.number <= done {
                continue;
            }
            let broken = |error| record.place.broken(&error);
            let values = self.projection.read(record.text).map_err(broken)?;
            if self.filter.holds(&values).map_err(broken)? {
                part.write(fields(&self.columns, &values).map_err(broken)?)?;
                self.state.rows += 1;
            }
            self.state.records = record.number;
            if record.number.is_multiple_of(self.limits.checkpoint_every) && self.state.fits() {
                self.state.bytes = part.sync()?;
                self.watch.save(&self.state)?;
            }
        }
        Ok(part)
    }

    /// Sorts the records and writes them.
    fn sort(&mut self) -> Result<Part, TaskError> {
        let mut sorter = Sorter::new(&self.places.runs(), self.limits.sort_memory)?;
        let mut meter = Meter::new(self.watch, 2);
        while let Some(record) = self.records.next()? {
            let number = record.number;
            meter.tick(number, self.state.total, || reading(number, self.state.total))?;
            let broken = |error| record.place.broken(&error);
            let values = self.projection.read(record.text).map_err(broken)?;
            if self.filter.holds(&values).map_err(broken)? {
                let keys = self.order.iter().map(|&(slot, way)| Ok(Directed::new(Key::of(values[slot])?, way)));
                let keys = keys.collect::<Result<_, _>>().map_err(broken)?;
                let fields = fields(&self.columns, &values).map_err(broken)?;
                sorter.push(Row { keys, number, fields: fields.into_iter().map(Into::into).collect() })?;
                self.state.rows += 1;
            }
        }
        let rows = sorter.finish(&mut Meter::new(self.watch, 3))?;
        let mut part = Part::start(&self.places.part(), &self.state.columns)?;
        let mut meter = Meter::new(self.watch, 4);
        for (number, row) in (1..).zip(rows) {
            // The last percent is the moving of the file.
            meter.tick(number * 99 / 100, self.state.rows, || "Writing csv".to_owned())?;
            part.write(row?.fields)?;
        }
        _ = fs::remove_dir_all(self.places.runs());
        Ok(part)
    }
}

/// Counts the records and learns their columns.
fn count(args: &Args, places: &Places, watch: &dyn Watch) -> Result<Checkpoint, TaskError> {
    let mut records = Records::open(&places.data, &args.source)?;
    let (stamp, position) = (records.stamp(), records.position());
    let mut census = Census::new(args);
    let mut meter = Meter::new(watch, 1);
    let mut total = 0;
    while let Some(record) = records.next()? {
        meter.tick(position.get(), stamp.size, || "Counting items".to_owned())?;
        census.look(record.text).map_err(|error| record.place.broken(&error))?;
        total = record.number;
    }
    if args.columns.is_none() && !census.later().is_empty() {
        // To the job's log.
        println!("Left out, because the first record does not have them: {}", census.later().join(", "));
    }
    Checkpoint::new(args, stamp, total, census.columns(args)?)
}

fn reading(number: u64, total: u64) -> String {
    format!("Reading item {} of {}", thousands(number), thousands(total))
}

fn fields<'a>(columns: &[usize], values: &Values<'a>) -> Result<Vec<Cow<'a, str>>, serde_json::Error> {
    columns.iter().map(|&slot| text(values[slot])).collect()
}
