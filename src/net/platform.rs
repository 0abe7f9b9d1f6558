//! What differs between operating systems, and nothing else. The only place with `unsafe`.
//!
//! Each system offers the same few functions; what one cannot do it says in the function's result, and the rooms above
//! go on without it.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::*;

#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(not(target_os = "linux"))]
pub use other::*;
