//! Bootwright turns a laptop into a PXE and UEFI HTTP Boot server.
//!
//! The house, from the roof down. Dependencies go down only, and rooms on one line do not know each other:
//!
//! ```text
//! cli                       the command line: serve, inspect, menu, loaders, computers and others, or the window
//! app                       the window: five steps, the only room that names iced (feature `gui`)
//! look                      how this computer stands, gathered for `check`
//! check                     what we judge: sentences for everything that can stop us, or a computer that boots
//! rehearsal                 a client of our own that boots as each firmware does
//! engine                    moves bytes between sockets and machines; owns tasks and the clock
//! deployment                what the user decided, and the plan that the engine runs
//! journal                   what happened to each computer, and the words for it
//! trace                     the packets of each computer, as Wireshark and people read them
//! boot · answer             which computer gets what: decision, menu, the tree that is served; its answer file
//! dhcp · tftp · http · image · net    protocols, readers of discs, the operating system
//! mac · text · unknown      what all of them name a computer by, foreign text made safe to show, words for later
//! ```
//!
//! * [`cli`] reads the arguments, runs a command and prints; no rule lives there.
//! * `app` draws and routes. Whatever may wait goes through the doors of `app::world` and comes back as a message; rules
//!   and sentences live in the rooms below.
//! * [`look`] gathers what is judged before the start, for the Check page and `bootwright check` alike.
//! * [`check`] turns every typed error into a [`check::Finding`]: what we saw, what it means, what to do. It says why a
//!   computer stands still ([`check::diagnosis`]), and what a message on its screen means ([`check::help`]).
//! * [`rehearsal`] plays each firmware against the services, and reads every file that an entry needs.
//! * [`engine`] binds every socket before anything starts, then loops: receive, ask the machine, send, note. It holds
//!   no protocol rules and no sentences.
//! * [`deployment`] holds the options of one deployment, from a file, the window and the command line, and makes of them
//!   the complete [`deployment::Plan`]. It saves and lists deployments.
//! * [`journal`] folds events into computers with stages, with a cap on what it keeps, and words each event once.
//! * [`trace`] keeps the latest DHCP and TFTP packets of each computer within bounds and without secrets, and writes them
//!   as pcapng and in words.
//! * [`boot`] is a pure table from machine to answer, the ladder of loaders that each computer climbs, the menu model and
//!   its rendering for iPXE and GRUB, what starts with Secure Boot on, and the served tree (path to
//!   [`boot::tree::Source`]). It knows neither leases nor blocks. Packs of loaders are installed here as well.
//! * [`answer`] checks answer files of unattended installations, fills them in for one computer and says who may fetch
//!   one, and how often. It serves nothing, and files are read in its `load` alone.
//! * [`dhcp`], [`tftp`] and [`http`] take bytes and the time, and return replies, notes and the next deadline. They
//!   never log, sleep, spawn or open files.
//! * [`image`] reads disc images, hostile ones too: everything bounded, every verdict with its evidence.
//! * [`net`] is the operating system: interfaces, sockets tied to one of them, who holds a port. Only in its
//!   `net/platform` is `unsafe` allowed; what else differs between systems is a few lines (signals, positional reads).

pub mod answer;
#[cfg(feature = "gui")]
pub mod app;
pub mod boot;
pub mod check;
pub mod cli;
pub mod deployment;
pub mod dhcp;
pub mod engine;
pub mod http;
pub mod image;
pub mod journal;
pub mod look;
pub mod mac;
pub mod net;
pub mod rehearsal;
pub mod text;
pub mod tftp;
pub mod trace;
pub mod unknown;
