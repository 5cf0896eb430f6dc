//! The system calls that the standard library does not offer: limits on a child, and killing a
//! process group.
//!
//! This is the only `unsafe` code of the project, in two functions. A crate with safe wrappers
//! would still leave `pre_exec` unsafe, and is a large dependency for five calls.
#![allow(unsafe_code, reason = "fork hooks and kill(2) have no safe counterpart in std")]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Makes `command` start in its own process group, within `memory_bytes` of address space and
/// `cpu_seconds` of processor time, without core dumps, and bound to die with the thread that
/// spawns it (Linux only).
///
/// Children of the program do not die with that thread, which matters if the program is a wrapper
/// and we are killed. They do inherit the limits, so that what then runs on comes to an end.
///
/// The thread that spawns must therefore be the one that waits: when a *thread* ends, Linux takes
/// its children for orphans.
pub(crate) fn confine(command: &mut Command, memory_bytes: u64, cpu_seconds: u64) {
    command.process_group(0);
    let parent = std::process::id();
    let hook = move || {
        die_with_parent(parent)?;
        lower_limit(libc::RLIMIT_CORE, 0)?;
        lower_limit(libc::RLIMIT_CPU, cpu_seconds)?;
        lower_limit(libc::RLIMIT_AS, memory_bytes)
    };
    // SAFETY: the hook runs between fork and exec, where only async-signal-safe operations are
    // sound. It calls prctl, getppid, getrlimit and setrlimit, which are plain system calls, on
    // values that it owns; errors are built from `errno` or a raw code, so nothing allocates,
    // locks or panics.
    unsafe {
        command.pre_exec(hook);
    }
}

/// Kills every process of the group that `leader` leads.
///
/// The leader must not have been reaped yet: until then its number cannot belong to somebody else.
pub(crate) fn kill_group(leader: u32) {
    let Ok(group) = libc::pid_t::try_from(leader) else { return };
    // Zero would be our own group, and one is everybody.
    if group > 1 {
        // SAFETY: kill takes two integers and touches no memory. That the group has gone already
        // is not an error for us.
        unsafe {
            libc::kill(-group, libc::SIGKILL);
        }
    }
}

#[cfg(target_os = "linux")]
fn die_with_parent(parent: u32) -> io::Result<()> {
    // SAFETY: these calls take and return integers; see `confine` for the fork hook.
    let orphan = unsafe {
        if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
            return Err(io::Error::last_os_error());
        }
        // The parent may have died before the line above.
        u32::try_from(libc::getppid()) != Ok(parent)
    };
    if orphan { Err(io::Error::from_raw_os_error(libc::ESRCH)) } else { Ok(()) }
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_parent: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(target_os = "linux")]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(target_os = "linux"))]
type Resource = libc::c_int;

/// Sets both limits to `value`, or to the hard limit in force if that is lower.
fn lower_limit(resource: Resource, value: u64) -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls get a pointer to a live `rlimit` of ours; see `confine` for the fork hook.
    let result = unsafe {
        if libc::getrlimit(resource, &mut limit) != 0 {
            return Err(io::Error::last_os_error());
        }
        let value = limit.rlim_max.min(value);
        limit = libc::rlimit { rlim_cur: value, rlim_max: value };
        libc::setrlimit(resource, &limit)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
