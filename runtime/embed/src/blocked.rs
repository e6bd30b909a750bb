//! Whether a thread waits for a lock of the host that this thread holds.
//!
//! A thread may hold a lock of the host while it makes a call, and wait, in it, for another thread's start of the plugin;
//! and that start may need the lock, because the init code calls back into the host. Nobody but the kernel knows: a
//! thread that sleeps in a futex of a mutex tells which (proc(5), /proc/PID/task/TID/syscall), and the mutex tells whose
//! it is (glibc's `pthread_mutex_t` has its owner's number 8 bytes on; musl's, and robust and priority-inheriting ones
//! of both, in the futex itself). Read-write locks, semaphores and the like have no owner that could be found.

use std::time::Duration;

use libc::pid_t;

/// How long to wait between two looks.
pub const PERIOD: Duration = Duration::from_millis(50);

/// So many looks in a row must find the same before it is believed: one look reads several places one after another, and
/// threads go on between them.
const ENOUGH: u32 = 4;

/// How many threads a chain of locks may lead through.
const LONGEST: usize = 8;

/// What the looks so far have found.
#[derive(Default)]
pub struct Watch {
    found: Option<usize>,
    times: u32,
}

impl Watch {
    /// Whether `thread` has been found to wait, for good, for a lock that this thread holds, perhaps through locks of
    /// others.
    pub fn waits_for_me(&mut self, thread: pid_t) -> bool {
        let found = lock_of_mine(thread);
        if found.is_some() && found == self.found {
            self.times += 1;
        } else {
            (self.found, self.times) = (found, 1);
        }
        found.is_some() && self.times >= ENOUGH
    }
}

/// This thread's number.
pub fn this_thread() -> pid_t {
    // SAFETY: valid at any time.
    unsafe { libc::gettid() }
}

/// The lock that `thread` waits for, if that is to be had only when this thread gives a lock back.
fn lock_of_mine(thread: pid_t) -> Option<usize> {
    let me = this_thread();
    let first = Sleep::of(thread)?;
    let mut owner = first.owner()?;
    for _ in 0..LONGEST {
        if owner == me {
            return Some(first.lock);
        }
        owner = Sleep::of(owner)?.owner()?;
    }
    None
}

/// A thread that sleeps in a futex, without a time limit.
struct Sleep {
    lock: usize,
    /// The value of the futex that it goes on sleeping for.
    value: u32,
}

impl Sleep {
    fn of(thread: pid_t) -> Option<Self> {
        const WAIT: usize = libc::FUTEX_WAIT as usize;
        const WAIT_BITSET: usize = libc::FUTEX_WAIT_BITSET as usize;
        const LOCK_PI: usize = libc::FUTEX_LOCK_PI as usize;
        const LOCK_PI2: usize = libc::FUTEX_LOCK_PI2 as usize;
        let told = std::fs::read_to_string(format!("/proc/self/task/{thread}/syscall")).ok()?;
        let mut words = told.split_ascii_whitespace();
        if words.next()?.parse() != Ok(libc::SYS_futex) {
            return None;
        }
        let mut argument = || usize::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
        let (lock, operation, value, limit) = (argument()?, argument()?, argument()?, argument()?);
        if limit != 0 {
            return None;
        }
        let value = match operation & libc::FUTEX_CMD_MASK as usize {
            WAIT | WAIT_BITSET => value as u32,
            // Of a priority-inheriting mutex the kernel keeps the owner's thread id in the futex itself.
            LOCK_PI | LOCK_PI2 => read(lock)?,
            _ => return None,
        };
        Some(Self { lock, value })
    }

    /// Who holds the lock.
    fn owner(&self) -> Option<pid_t> {
        const LOCKED_AND_WAITED_FOR: u32 = 2;
        if read(self.lock)? != self.value {
            // The mutex was given back meanwhile: nobody owns it.
            return None;
        }
        let owner = if self.value == LOCKED_AND_WAITED_FOR {
            read(self.lock.checked_add(8)?)?
        } else {
            self.value & libc::FUTEX_TID_MASK
        };
        pid_t::try_from(owner).ok().filter(|&owner| owner > 0)
    }
}

/// Four bytes at an address of this process; `None` if no memory is there any more.
fn read(address: usize) -> Option<u32> {
    let mut value = 0u32;
    let size = size_of::<u32>();
    let to = libc::iovec {
        iov_base: (&raw mut value).cast(),
        iov_len: size,
    };
    let from = libc::iovec {
        iov_base: std::ptr::with_exposed_provenance_mut(address),
        iov_len: size,
    };
    // SAFETY: `to` is ours; the kernel checks `from`.
    let length = unsafe { libc::process_vm_readv(libc::getpid(), &to, 1, &from, 1, 0) };
    (length == size as isize).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::UnsafeCell;
    use std::sync::mpsc;

    /// A mutex of the host.
    struct HostLock(UnsafeCell<libc::pthread_mutex_t>);
    // SAFETY: a mutex is for all threads.
    unsafe impl Sync for HostLock {}

    impl HostLock {
        fn lock(&self) {
            // SAFETY: an initialised mutex, which does not move while somebody has it.
            unsafe { libc::pthread_mutex_lock(self.0.get()) };
        }
        fn unlock(&self) {
            // SAFETY: as above; this thread has it.
            unsafe { libc::pthread_mutex_unlock(self.0.get()) };
        }
    }

    #[test]
    fn a_thread_that_waits_for_my_lock_is_seen_and_one_that_works_is_not() {
        let lock = HostLock(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));
        lock.lock();
        std::thread::scope(|scope| {
            let ((number, numbers), lock) = (mpsc::channel(), &lock);
            scope.spawn(move || {
                number.send(this_thread()).expect("somebody listens");
                lock.lock();
                lock.unlock();
            });
            let waiter = numbers.recv().expect("the number of the thread");
            let mut watch = Watch::default();
            let mut looks = 0;
            while !watch.waits_for_me(waiter) {
                std::thread::sleep(Duration::from_millis(1));
                looks += 1;
                assert!(looks < 10_000, "it is never seen to wait");
            }
            assert!(looks >= ENOUGH - 1, "believed after {looks} looks");
            lock.unlock();
        });
        let mut watch = Watch::default();
        assert!((0..2 * ENOUGH).all(|_| !watch.waits_for_me(this_thread())));
    }

    #[test]
    fn memory_that_is_not_there_is_not_read() {
        let number = 42u32;
        assert_eq!(read((&raw const number).expose_provenance()), Some(42));
        assert_eq!(read(8), None);
    }
}
