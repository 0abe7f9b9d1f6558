//! The command line: reads the arguments, runs a command or opens the window, prints. No rule lives here.

mod answer;
mod approve;
mod computers;
mod explain;
mod helper;
mod inspect;
mod interfaces;
mod jobs;
mod loaders;
mod menu;
mod password;
mod preflight;
mod rehearse;
mod running;
mod safety;
mod serve;
mod trace;
mod window;

use std::ffi::OsString;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::answer::Settings as Answering;
use crate::boot::loader::Preference;
use crate::check;
use crate::deployment::{DhcpMode, Firewall, LogForm, Places, Settings, Switch};
use crate::image::recipe;
use crate::mac::Mac;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// As asked.
    Done = 0,
    /// The arguments are wrong; of `inspect`: the file cannot be used.
    Wrong = 2,
    /// It cannot serve; of `check`: something stands in the way; of `inspect`: there is nothing to boot; of `explain`:
    /// nothing is known.
    Cannot = 3,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        ExitCode::from(status as u8)
    }
}

/// Turns this machine into a network-boot server: computers on its cable boot from ISO files, BIOS or UEFI.
#[derive(Debug, Parser)]
#[command(name = "bootwright", version, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Show the window on a described machine with recorded boots: no network, no rights
    #[arg(long, value_name = "MACHINE", num_args = 0..=1, require_equals = true, default_missing_value = "bench", conflicts_with = "open")]
    demo: Option<String>,
    /// Open the window with this saved deployment
    #[arg(long, value_name = "FILE")]
    open: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until stopped
    Serve(Box<Serve>),
    /// Look for what could keep computers from booting, before anything is started: takes the options of serve
    Check(Box<preflight::Options>),
    /// Say what an ISO is and how it would boot
    Inspect {
        /// The ISO file
        file: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Compare its checksum with the list beside it (SHA256SUMS, FILE.sha256, CHECKSUM and others)
        #[arg(long)]
        verify: bool,
        /// Compare its checksum with this one: the digits, or a line of a list
        #[arg(long, value_name = "TEXT")]
        checksum: Option<String>,
    },
    /// Print the menu that a computer gets
    Menu(menu::Options),
    /// Check an answer file, and show it filled in for a computer
    Answer(answer::Options),
    /// List the network interfaces of this machine
    Interfaces {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the computers that do not take the usual boot loader, with Secure Boot on for example, those that you approved,
    /// and what those began that starts once
    Computers {
        /// Let a computer begin with the usual loader and with what it began again, and be asked about again, or all of them
        #[arg(long, value_name = "MAC|all", value_parser = computers::forget)]
        forget: Option<computers::Forget>,
        /// Where the services keep their state
        #[arg(long, value_name = "DIR")]
        state_dir: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what a message means that a computer shows, like PXE-E18
    Explain {
        /// The message or its code, as it stands on the screen
        #[arg(required = true, value_name = "TEXT", allow_hyphen_values = true)]
        text: Vec<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Let a computer that waits have the menu, or list those that wait: for `serve --ask-first`
    Approve(approve::Approve),
    /// Send a computer that waits to its own disk
    Refuse(approve::Refuse),
    /// List the boot loaders, and add or remove packs of them
    #[command(args_conflicts_with_subcommands = true)]
    Loaders(loaders::Options),
    /// Try all kinds of firmware and every entry without a computer: nothing is served, and no rights are needed
    Rehearse(Box<rehearse::Options>),
    /// Make what a deployment keeps of a menu entry's password
    Password,
    /// Say what protects the network while computers boot from it, and what to do about the rest
    Safety(Box<safety::Options>),
    /// List what each computer booted, and what came of it
    Jobs(jobs::Options),
    /// Write the DHCP and TFTP packets of running services, for Wireshark or to read
    Trace(trace::Options),
    /// Open ports for the window, which starts this with more rights
    #[command(hide = true)]
    Helper,
}

#[derive(Debug, clap::Args)]
struct Serve {
    /// The one interface to serve
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
    /// A saved deployment; other options override it
    #[arg(long, value_name = "FILE")]
    deployment: Option<PathBuf>,
    /// Hand out addresses, work beside another server, or neither [default: proxy]
    #[arg(long, value_name = "MODE")]
    dhcp: Option<DhcpMode>,
    /// Addresses to hand out with --dhcp full [default: upper half of the interface's network]
    #[arg(long, value_name = "A-B")]
    range: Option<String>,
    /// With --dhcp full, tell computers that ask for an IPv6 router that there is none; without, each iPXE with IPv6
    /// waits for one for 13 seconds [default: on]
    #[arg(long, value_name = "on|off")]
    router_advertisement: Option<Switch>,
    /// With --dhcp full, ask the network for other DHCP servers before the first address is handed out, which takes
    /// four seconds [default: on]
    #[arg(long, value_name = "on|off")]
    probe: Option<Switch>,
    /// With --dhcp full, hand out addresses although this other DHCP server is on the network; repeatable
    #[arg(long, value_name = "ADDRESS")]
    beside: Vec<Ipv4Addr>,
    /// An ISO file; repeatable, the menu has them in this order
    #[arg(long, value_name = "FILE")]
    image: Vec<PathBuf>,
    /// What starts by itself: local (the computer's own disk), an entry's id, or its position [default: local]
    #[arg(long, value_name = "local|ID|N")]
    default: Option<String>,
    /// When it starts; 0 starts it at once without a menu [default: 30]
    #[arg(long, value_name = "SECONDS")]
    menu_timeout: Option<u32>,
    /// Start this entry once on each computer, which then falls to its own disk; repeatable
    #[arg(long, value_name = "ID")]
    once: Vec<String>,
    /// A folder to publish under /files/, read only
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
    /// More kernel arguments for each Linux entry
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    append: Option<String>,
    /// An answer file for an unattended installation by this entry; repeatable
    #[arg(long, value_name = "ID=FILE", value_parser = entry_and_file)]
    answer: Vec<(String, PathBuf)>,
    /// A list of computers (CSV with a column mac, uuid or serial) whose other columns answer files can use
    #[arg(long, value_name = "FILE")]
    computers: Option<PathBuf>,
    /// Host names for answer files: in braces n, nn or nnn for a number, mac6 or serial, like lab-{nn}
    #[arg(long, value_name = "PATTERN")]
    host_name: Option<String>,
    /// Which boot loaders computers get [default: auto]
    #[arg(long, value_name = "KIND")]
    loader: Option<Preference>,
    /// Boot loaders, before the built-in places
    #[arg(long, value_name = "DIR")]
    loaders: Option<PathBuf>,
    /// [default: 80, and 8080 when 80 is taken]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    http_port: Option<u16>,
    /// Where leases live [default: in the state folder]
    #[arg(long, value_name = "FILE")]
    lease_file: Option<PathBuf>,
    /// A folder for what is kept between runs, leases for example [default: the user's state folder]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Answer this computer; any makes it a closed list
    #[arg(long, value_name = "MAC")]
    allow: Vec<Mac>,
    /// Never answer this computer
    #[arg(long, value_name = "MAC")]
    deny: Vec<Mac>,
    /// Let an unknown computer wait until `bootwright approve` lets it have the menu
    #[arg(long)]
    ask_first: bool,
    /// Stop by itself after this time, like 90s, 15m or 2h
    #[arg(long = "for", value_name = "DURATION")]
    duration: Option<String>,
    /// Whether this computer's firewall lets computers in while serving [default: leave]
    #[arg(long, value_name = "open|leave")]
    firewall: Option<Firewall>,
    /// How the log on standard output is written [default: text]
    #[arg(long, value_name = "FORM")]
    log: Option<LogForm>,
    /// Write each DHCP and TFTP packet to this file as it passes, for Wireshark or tcpdump
    #[arg(long, value_name = "FILE.pcapng")]
    trace: Option<PathBuf>,
    /// Where it is written what each computer booted [default: in the state folder]
    #[arg(long, value_name = "FOLDER|off")]
    job_sheet: Option<PathBuf>,
    /// Who is there, for the job sheet [default: whoever was there before]
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
}

impl Serve {
    fn settings(self) -> Settings {
        Settings {
            version: None,
            interface: self.interface,
            dhcp: self.dhcp,
            range: self.range,
            router_advertisement: self.router_advertisement,
            probe: self.probe,
            beside: self.beside,
            image: self.image,
            default_entry: self.default,
            menu_timeout: self.menu_timeout,
            files: self.files,
            append: self.append,
            loader: self.loader,
            loaders: self.loaders,
            http_port: self.http_port,
            lease_file: self.lease_file,
            state_dir: self.state_dir,
            allow: self.allow,
            deny: self.deny,
            ask_first: self.ask_first.then_some(true),
            duration: self.duration,
            log: self.log,
            firewall: self.firewall,
            entry: Vec::new(),
            once: self.once,
            answers: Answering {
                list: self.computers,
                host_name: self.host_name,
                entry: self.answer.into_iter().collect(),
                ..Answering::default()
            },
            job_sheet: self.job_sheet,
            operator: self.operator,
            unknown: Default::default(),
        }
    }
}

/// `ID=FILE`.
fn entry_and_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((id, file)) if !id.is_empty() && !file.is_empty() => Ok((id.to_owned(), PathBuf::from(file))),
        _ => Err("an entry's id, = and a file are needed".to_owned()),
    }
}

const COMMANDS: [&str; 15] = [
    "serve",
    "check",
    "rehearse",
    "inspect",
    "menu",
    "answer",
    "interfaces",
    "computers",
    "approve",
    "refuse",
    "loaders",
    "explain",
    "safety",
    "jobs",
    "trace",
];

/// Runs the program with these arguments, the first of which is its name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let named = arguments.get(1).and_then(|name| name.to_str()).filter(|name| COMMANDS.contains(name));
    let help = named.map_or("bootwright --help".to_owned(), |name| format!("bootwright {name} --help"));
    let Arguments { command, demo, open } = match Arguments::try_parse_from(&arguments) {
        Ok(arguments) => arguments,
        Err(error) if !error.use_stderr() => {
            // Help and version are what was asked for.
            out(&error.render().to_string());
            return Status::Done.into();
        }
        // What may be a password is not said again.
        Err(_) if arguments.get(1).is_some_and(|name| name == "password") => {
            complain(password::NO_ARGUMENTS);
            return Status::Wrong.into();
        }
        Err(error) => {
            complain(&argument_sentence(&error, &help));
            return Status::Wrong.into();
        }
    };
    let reads_images = matches!(
        command,
        Some(Command::Serve(_) | Command::Check(_) | Command::Inspect { .. } | Command::Menu(_) | Command::Rehearse(_))
            | None
    );
    if reads_images && demo.is_none() {
        recipe::open_folder(&Places::of_this_user().recipes());
    }
    let status = match command {
        Some(Command::Serve(options)) => serve::run(*options),
        Some(Command::Check(options)) => preflight::run(*options),
        Some(Command::Inspect { file, json, verify, checksum }) => {
            inspect::run(&file, json, inspect::Wanted { verify, pasted: checksum })
        }
        Some(Command::Menu(options)) => menu::run(options),
        Some(Command::Answer(options)) => answer::run(options),
        Some(Command::Interfaces { json }) => interfaces::run(json),
        Some(Command::Computers { forget, state_dir, json }) => computers::run(state_dir, forget, json),
        Some(Command::Explain { text, json }) => explain::run(&text, json),
        Some(Command::Approve(options)) => approve::approve(options),
        Some(Command::Refuse(options)) => approve::refuse(options),
        Some(Command::Password) => password::run(),
        Some(Command::Safety(options)) => safety::run(*options),
        Some(Command::Loaders(options)) => loaders::run(options),
        Some(Command::Rehearse(options)) => rehearse::run(*options),
        Some(Command::Jobs(options)) => jobs::run(options),
        Some(Command::Trace(options)) => trace::run(options),
        Some(Command::Helper) => helper::run(),
        None => window::run(demo, open),
    };
    status.into()
}

/// clap's message as one sentence with the next step.
fn argument_sentence(error: &clap::Error, help: &str) -> String {
    use clap::error::{ContextKind, ErrorKind};
    let context = |kind| error.get(kind).map(ToString::to_string);
    let named = context(ContextKind::InvalidArg).unwrap_or_default();
    match (error.kind(), context(ContextKind::InvalidValue)) {
        (ErrorKind::UnknownArgument, _) if !named.starts_with('-') && help.contains("serve") => {
            return format!("{named:?} is not an option. If it is an ISO file, write --image {named}.");
        }
        (ErrorKind::UnknownArgument, _) if !named.starts_with('-') => {
            return format!("{named:?} is one too many. `{help}` lists what there is.");
        }
        (ErrorKind::UnknownArgument, _) => {
            let suggested = context(ContextKind::SuggestedArg).map(|option| format!(" Did you mean {option}?"));
            let next = suggested.unwrap_or_else(|| format!(" `{help}` lists what there is."));
            return format!("There is no option {named}.{next}");
        }
        (ErrorKind::ValueValidation | ErrorKind::InvalidValue, Some(value)) => {
            let allowed = context(ContextKind::ValidValue).map(|allowed| format!(": use one of {allowed}"));
            let ours = std::error::Error::source(error).filter(|source| !source.is::<std::num::ParseIntError>());
            let allowed = allowed.or(ours.map(|source| format!(": {source}"))).unwrap_or_default();
            return format!("{value:?} does not fit {named}{allowed}. `{help}` says what does.");
        }
        (ErrorKind::InvalidSubcommand, _) => {
            let named = context(ContextKind::InvalidSubcommand).unwrap_or_default();
            let suggested = context(ContextKind::SuggestedSubcommand).map(|name| format!(" Did you mean {name}?"));
            let next = suggested.unwrap_or_else(|| format!(" `{help}` lists what there is."));
            return format!("There is no command {named:?}.{next}");
        }
        _ => {}
    }
    let text = error.render().to_string();
    let lines =
        text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage") && !line.starts_with("For more"));
    let words = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let words = words.trim_start_matches("error: ").trim_end_matches('.');
    let mut letters = words.chars();
    let words: String = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    format!("{words}. `{help}` lists what there is.")
}

/// Recipes of the user that cannot be used. The images are judged by the others.
fn complain_of_recipes() {
    for fault in recipe::book().faults() {
        complain(&check::wrong_recipe(fault).sentence());
    }
}

/// One plain sentence on standard error.
fn complain(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "bootwright: {sentence}");
}

/// Text on standard output. A reader that is gone is no reason to stop serving.
fn out(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Standard output behind a thread: a reader that does not read (a full pipe, Ctrl-S) keeps nobody waiting.
struct Output {
    lines: Option<SyncSender<String>>,
    written: Receiver<()>,
}

impl Output {
    /// Lines that may wait for the reader; those beyond are lost.
    const WAITING: usize = 65_536;
    /// Longest wait for the reader at the end.
    const PATIENCE: Duration = Duration::from_millis(500);

    fn start() -> Output {
        let (lines, waiting) = mpsc::sync_channel::<String>(Output::WAITING);
        let (done, written) = mpsc::channel();
        std::thread::spawn(move || {
            waiting.iter().for_each(|line| out(&line));
            // Nobody may wait any more.
            let _ = done.send(());
        });
        Output { lines: Some(lines), written }
    }

    fn line(&self, text: &str) {
        if let Some(lines) = &self.lines {
            // A full queue: see above.
            let _ = lines.try_send(format!("{text}\n"));
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.lines = None;
        let _ = self.written.recv_timeout(Output::PATIENCE);
    }
}

fn out_json(value: &impl serde::Serialize) {
    if let Ok(text) = serde_json::to_string_pretty(value) {
        out(&format!("{text}\n"));
    }
}
