//! How chains of waiting threads end, by the table alone: no thread waits here.

use super::*;

const ME: usize = 1;
const OTHER: usize = 2;
const THIRD: usize = 3;

/// Three plugins that nobody has attached, so that no thread belongs to an init code of theirs.
struct Plugins([Box<keelback_plugin_t>; 3]);

impl Plugins {
    fn new() -> Self {
        // SAFETY: the record is plain C data, for which zeros are values: no names, no tables, not attached.
        Self([(); 3].map(|()| Box::new(unsafe { std::mem::zeroed() })))
    }
    fn record(&mut self, index: usize) -> Record {
        Record(&raw mut *self.0[index])
    }
}

fn empty() -> Table {
    Table {
        starts: Vec::new(),
        waiters: Vec::new(),
        forking: GONE,
    }
}

/// `thread` starts the plugin; the kernel's number of it is ten times as high.
fn starts(table: &mut Table, plugin: Record, thread: usize) {
    table.starts.push(Start {
        plugin,
        thread,
        kernel_thread: 10 * thread as pid_t,
        depth: 1,
    });
}

fn waits(table: &mut Table, plugin: Record, thread: usize, what: Awaited) {
    table.begin_to_wait(thread, plugin, what);
}

#[test]
fn a_start_of_a_thread_that_works_is_worth_waiting_for() {
    let (mut plugins, mut table) = (Plugins::new(), empty());
    starts(&mut table, plugins.record(0), OTHER);
    assert!(table.chain(plugins.record(0), ME) == Chain::Works(Some(20)));
    // Nobody starts the second one.
    assert!(table.chain(plugins.record(1), ME) == Chain::Works(None));
}

#[test]
fn two_that_wait_for_each_other_are_a_ring() {
    let (mut plugins, mut table) = (Plugins::new(), empty());
    starts(&mut table, plugins.record(0), ME);
    starts(&mut table, plugins.record(1), OTHER);
    waits(&mut table, plugins.record(0), OTHER, Awaited::Start);
    assert!(table.chain(plugins.record(1), ME) == Chain::Ring);
}

#[test]
fn a_ring_through_others_is_one_too() {
    let (mut plugins, mut table) = (Plugins::new(), empty());
    for (index, thread) in [ME, OTHER, THIRD].into_iter().enumerate() {
        starts(&mut table, plugins.record(index), thread);
    }
    waits(&mut table, plugins.record(2), OTHER, Awaited::Start);
    assert!(table.chain(plugins.record(1), ME) == Chain::Works(Some(30)));
    waits(&mut table, plugins.record(0), THIRD, Awaited::Function);
    assert!(table.chain(plugins.record(1), ME) == Chain::Ring);
}

#[test]
fn a_ring_in_which_all_wait_for_functions_is_hopeless() {
    let (mut plugins, mut table) = (Plugins::new(), empty());
    starts(&mut table, plugins.record(0), ME);
    starts(&mut table, plugins.record(1), OTHER);
    waits(&mut table, plugins.record(0), OTHER, Awaited::Function);
    assert!(table.chain(plugins.record(1), ME) == Chain::Ring);
    waits(&mut table, plugins.record(1), ME, Awaited::Function);
    assert!(table.chain(plugins.record(1), ME) == Chain::HopelessRing);
}

#[test]
fn a_ring_of_others_is_theirs_to_sort_out() {
    let (mut plugins, mut table) = (Plugins::new(), empty());
    starts(&mut table, plugins.record(0), OTHER);
    starts(&mut table, plugins.record(1), THIRD);
    waits(&mut table, plugins.record(1), OTHER, Awaited::Start);
    waits(&mut table, plugins.record(0), THIRD, Awaited::Start);
    assert!(table.chain(plugins.record(0), ME) == Chain::Works(None));
}

#[test]
fn a_start_that_a_fork_left_behind_begins_anew() {
    let (mut plugins, mut table) = (Plugins::new(), empty());
    let plugin = plugins.record(0);
    starts(&mut table, plugin, GONE);
    let Some(Turn::Mine(claim)) = try_claim(&mut table, plugin, ME) else {
        panic!("the start is nobody's");
    };
    assert!(claim.taken_over);
    assert!(
        table
            .start_mut(plugin)
            .is_some_and(|start| start.thread == ME)
    );
    // The claim is of a table of ours: it must not look for its start in the process's.
    std::mem::forget(claim);
}

#[test]
fn no_start_begins_while_another_thread_forks() {
    let (mut plugins, mut table) = (Plugins::new(), empty());
    table.forking = OTHER;
    assert!(try_claim(&mut table, plugins.record(0), ME).is_none());
    table.forking = ME;
    let turn = try_claim(&mut table, plugins.record(0), ME);
    assert!(matches!(turn, Some(Turn::Mine(_))));
    std::mem::forget(turn);
}
