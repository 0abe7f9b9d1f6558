//! Everything that can fail before the first packet: images, loaders, folders, sockets. If one fails, the rest is
//! released again and one problem is reported.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use tokio::net::{TcpListener, UdpSocket};

use super::dhcp::Leases;
use super::double::{At, Machines};
use super::guard::{self, Guard};
use super::tap::Live;
use super::{Error, Listening, desk, gate, jobs, kept, locks, rungs};
use crate::boot::loader::{Loader, Loaders};
use crate::boot::menu::{self, Item, Menu, Place};
use crate::boot::once::Watched;
use crate::boot::published::Folder;
use crate::boot::tree::Tree;
use crate::boot::{Offer, secure};
use crate::deployment::{DhcpPlan, Plan};
use crate::dhcp::lease::{Range, Record};
use crate::dhcp::{proxy, server};
use crate::http;
use crate::image::{self, Disc, Firmware, Inspection, signature};
use crate::journal::job::Catalogue;
use crate::net::platform::{ArpSocket, RouterSocket};
use crate::net::socket::{BindError, Hear, Sockets};
use crate::net::{Interface, interface};
use crate::trace::pcapng::About;

/// All that the services start from.
pub(super) struct Bound {
    pub(super) listening: Listening,
    pub(super) interface: Interface,
    pub(super) dhcp: Option<Dhcp>,
    /// Where computers are told that there is no IPv6 router.
    pub(super) router: Option<RouterSocket>,
    pub(super) tftp: UdpSocket,
    pub(super) http: TcpListener,
    pub(super) tree: Arc<Tree>,
    pub(super) offer: Offer,
    pub(super) ladder: rungs::Prepared,
    /// Where HTTP and TFTP are heard.
    pub(super) at: At,
    pub(super) approval: gate::Prepared,
    pub(super) locks: locks::Prepared,
    /// What the desk is made of, where there are answer files to give.
    pub(super) desk: Option<(desk::Prepared, Menu, Place)>,
    /// Where packets pass.
    pub(super) about: About,
    /// What is served, as the job sheet tells it.
    pub(super) catalogue: Catalogue,
    /// The file that packets are written to.
    pub(super) trace: Option<(File, PathBuf)>,
}

/// The DHCP sockets and machines.
pub(super) struct Dhcp {
    pub(super) socket: UdpSocket,
    pub(super) pxe: UdpSocket,
    pub(super) proxy: proxy::Proxy,
    pub(super) full: Option<Full>,
}

/// What only the full server has.
pub(super) struct Full {
    pub(super) server: server::Server,
    pub(super) arp: Option<ArpSocket>,
    /// Where other servers are heard; none without the right for it.
    pub(super) guard: Option<Guard>,
    pub(super) lease_file: PathBuf,
    /// Where an unreadable lease file was put.
    pub(super) set_aside: Option<PathBuf>,
}

pub(super) async fn everything(plan: &Plan, mut sockets: Sockets) -> Result<Bound, Error> {
    let name = plan.interface.clone();
    let gone = || Error::InterfaceGone { interface: name.clone() };
    let mut interfaces = interface::list().into_iter();
    let interface = interfaces.find(|interface| interface.name == plan.interface).ok_or_else(gone)?;
    if !interface.addresses.contains(&plan.network) {
        return Err(Error::AddressGone { interface: name, address: plan.network.addr() });
    }
    let prepared = Prepared::read(plan, false).await?;
    let bind = |source: BindError| Error::Bind { interface: plan.interface.clone(), source };
    let dhcp = dhcp(plan, &interface, &mut sockets)?;
    let own = plan.network.addr();
    let tftp = sockets.udp(&interface, own, plan.ports.tftp, Hear::Own).map_err(bind)?;
    let (http, port_taken) = http_socket(plan, &interface, &mut sockets).map_err(bind)?;
    let port = |address: std::io::Result<std::net::SocketAddr>| address.map_or(0, |address| address.port());
    let http_port = port(http.local_addr());
    let (router, unadvertised) = router(plan, &interface, &sockets);
    let full = dhcp.as_ref().and_then(|dhcp| dhcp.full.as_ref());
    let catalogue = prepared.catalogue.clone();
    let http_at = SocketAddrV4::new(own, http_port);
    let listening = Listening {
        url: format!("http://{http_at}/"),
        http_port,
        port_taken,
        tftp_port: port(tftp.local_addr()),
        dhcp_port: dhcp.as_ref().map(|dhcp| port(dhcp.socket.local_addr())),
        images: prepared.inspections.clone(),
        entries: prepared.menu.items.clone(),
        unserved: prepared.loaders.unserved(),
        lacking: prepared.lacking.clone(),
        locked_default: prepared.menu.locked_default().map(|item| item.entry.title.clone()),
        answer_faults: prepared.answers.as_ref().map(desk::Prepared::faults).unwrap_or_default(),
        unprobed: full.is_some_and(|full| full.arp.is_none()),
        unguarded: full.is_some_and(|full| full.guard.is_none()),
        unadvertised,
    };
    let House { tree, offer, watched, desk } = House::of(prepared, http_at)?;
    let at = At { http: http_at, tftp: SocketAddrV4::new(own, port(tftp.local_addr())) };
    let path = &plan.ladder_file;
    let ladder = rungs::Prepared::from(path.clone());
    let ladder = ladder.map_err(|source| Error::Ladder { path: path.clone(), source })?;
    let path = &plan.approval_file;
    let approval = gate::Prepared::from(path.clone());
    let approval = approval.map_err(|source| Error::Approval { path: path.clone(), source })?;
    let path = &plan.once_file;
    let locks = locks::Prepared::from(path.clone(), watched);
    let locks = locks.map_err(|source| Error::Once { path: path.clone(), source })?;
    let about = About { interface: interface.name.clone(), own: interface.mac };
    let trace = plan.records.trace.as_ref().map(|path| {
        let opened = Live::open(path, &about).map_err(|source| Error::Trace { path: path.clone(), source });
        opened.map(|file| (file, path.clone()))
    });
    let trace = trace.transpose()?;
    Ok(Bound {
        listening,
        interface,
        dhcp,
        router,
        tftp,
        http,
        tree,
        offer,
        ladder,
        approval,
        locks,
        at,
        desk,
        about,
        trace,
        catalogue,
    })
}

/// What there is to give.
pub(super) struct House {
    pub(super) tree: Arc<Tree>,
    pub(super) offer: Offer,
    /// The entries that start once.
    pub(super) watched: Vec<Watched>,
    /// What the desk is made of, where there are answer files to give.
    pub(super) desk: Option<(desk::Prepared, Menu, Place)>,
}

impl House {
    /// The same as it is served from this address.
    pub(super) fn of(prepared: Prepared, http: SocketAddrV4) -> Result<House, Error> {
        let disc = prepared.menu.disc_for_http_boot().map(|item| format!("image/{}.iso", item.image));
        let offer = Offer { http, loaders: prepared.loaders, disc };
        let place = Place { base: offer.url("").trim_end_matches('/').to_owned(), server: *http.ip() };
        let desk = prepared.answers.map(|answers| (answers, prepared.menu.clone(), place.clone()));
        let tree = Tree::new(&offer.loaders, prepared.discs, prepared.files, prepared.menu, place)?;
        let tree = Arc::new(tree.with_chains(prepared.chains));
        Ok(House { tree, offer, watched: prepared.watched, desk })
    }
}

/// What is read from disk.
pub(super) struct Prepared {
    inspections: Vec<Inspection>,
    discs: Vec<(String, Disc)>,
    menu: Menu,
    /// Entries that are left out of it, each with the loader that it would need.
    lacking: Vec<(Item, Loader)>,
    answers: Option<desk::Prepared>,
    catalogue: Catalogue,
    loaders: Loaders,
    /// How entries start with Secure Boot on, by their ids.
    chains: BTreeMap<String, secure::Chain>,
    files: Option<Folder>,
    /// The entries that start once.
    watched: Vec<Watched>,
}

impl Prepared {
    /// Reads it, for a rehearsal without writing anything.
    pub(super) async fn read(plan: &Plan, rehearsed: bool) -> Result<Prepared, Error> {
        let plan = plan.clone();
        let work = tokio::task::spawn_blocking(move || Prepared::from(&plan, rehearsed)).await;
        work.map_err(|error| Error::Broken(error.to_string()))?
    }

    fn from(plan: &Plan, rehearsed: bool) -> Result<Prepared, Error> {
        // A folder that was named and has none is a mistake to be told, whatever else there is.
        let own = plan.own_loaders.as_slice();
        if !own.is_empty() && Loaders::find(own).is_empty() {
            return Err(Error::NoLoaders { folders: own.to_vec() });
        }
        let folders = [own, &plan.loaders].concat();
        let loaders = Loaders::find(&folders);
        if loaders.is_empty() {
            return Err(Error::NoLoaders { folders });
        }
        let files = plan
            .files
            .as_ref()
            .map(|path| Folder::open(path).map_err(|source| Error::Files { path: path.clone(), source }));
        let files = files.transpose()?;
        let (discs, inspections): (Vec<Disc>, Vec<Inspection>) = image::inspect_all(&plan.images)?.into_iter().unzip();
        let discs: Vec<(String, Disc)> = menu::image_ids(&inspections).into_iter().zip(discs).collect();
        let mut menu = plan.menu(&inspections);
        if let Some(wanted) = plan.once.iter().find(|id| menu.items.iter().all(|item| item.id != **id)) {
            let (wanted, known) = (wanted.clone(), menu.items.into_iter().map(|item| item.id).collect());
            return Err(Error::NoOnce { wanted, known });
        }
        let lacking = menu.without_lacking(&loaders);
        if let Some(wanted) = menu.missing_default() {
            return Err(Error::NoDefault { wanted, known: menu.items.into_iter().map(|item| item.id).collect() });
        }
        let answers = desk::Prepared::from(plan, &menu, rehearsed)?;
        let chains = chains(&menu, &inspections, &loaders);
        let watched = watched(&menu, &inspections, &discs);
        let catalogue = jobs::catalogue(&inspections, &menu, plan.records.checksums.as_deref());
        Ok(Prepared { catalogue, inspections, discs, menu, lacking, answers, loaders, chains, files, watched })
    }
}

/// The entries that start once.
fn watched(menu: &Menu, inspections: &[Inspection], discs: &[(String, Disc)]) -> Vec<Watched> {
    let image = |id: &str| {
        let (at, (_, disc)) = discs.iter().enumerate().find(|(_, (own, _))| own == id)?;
        Some(format!("{} {}", disc.stamp().size, image::file_name(&inspections.get(at)?.path)))
    };
    let watch = |item: &Item| {
        let name = format!("{} {}", item.id, image(&item.image)?);
        Some(Watched { id: item.id.clone(), image: item.image.clone(), name })
    };
    menu.items.iter().filter(|item| item.guard.once).filter_map(watch).collect()
}

/// What starts each entry with Secure Boot on. May wait for a disk.
fn chains(menu: &Menu, inspections: &[Inspection], loaders: &Loaders) -> BTreeMap<String, secure::Chain> {
    let shim = |loader| loaders.path(loader).and_then(signature::file);
    let (x64, arm64) = (shim(Loader::ShimX64), shim(Loader::ShimArm64));
    let images: BTreeMap<String, &Inspection> = menu::image_ids(inspections).into_iter().zip(inspections).collect();
    let chain = |item: &Item| {
        let entry = &item.entry;
        let first = if entry.arch == "aarch64" { &arm64 } else { &x64 };
        let programs = images.get(&item.image).map(|inspection| inspection.signatures.as_slice());
        let chain = secure::chain(entry.signed.as_deref(), &entry.arch, programs.unwrap_or_default(), first.as_ref());
        (item.id.clone(), chain)
    };
    menu.items.iter().filter(|item| item.entry.firmware.contains(&Firmware::Uefi)).map(chain).collect()
}

fn dhcp(plan: &Plan, interface: &Interface, sockets: &mut Sockets) -> Result<Option<Dhcp>, Error> {
    let server = plan.network.addr();
    let mut bind = |port| {
        let opened = sockets.udp(interface, server, port, Hear::All);
        opened.map_err(|source| Error::Bind { interface: plan.interface.clone(), source })
    };
    if plan.dhcp == DhcpPlan::Off {
        return Ok(None);
    }
    // Before the lease file is touched: another run of ours may hold both.
    let (socket, pxe) = (bind(plan.ports.dhcp)?, bind(plan.ports.pxe)?);
    let full = match &plan.dhcp {
        DhcpPlan::Off | DhcpPlan::Proxy => None,
        DhcpPlan::Full { range, excluded, lease_file, beside, probe, .. } => {
            let path = lease_file.clone();
            let opened = kept::open::<Leases>(&path);
            let (Leases { leases }, set_aside) =
                opened.map_err(|source| Error::Leases { path: path.clone(), source })?;
            // Without the right for a packet socket addresses are handed out unprobed, and that is told.
            let arp = ArpSocket::open(interface).ok();
            let mut server = full_server(plan, (*range, excluded, beside), arp.is_some(), &leases);
            let guard = Guard::open(interface, *probe, sockets).ok();
            if *probe && guard.is_some() {
                server.hold(Instant::now() + guard::PATIENCE);
            }
            Some(Full { server, arp, guard, lease_file: path, set_aside })
        }
    };
    let proxy = proxy_server(plan);
    Ok(Some(Dhcp { socket, pxe, proxy, full }))
}

fn full_server(
    plan: &Plan,
    (range, excluded, beside): (Range, &BTreeSet<Ipv4Addr>, &BTreeSet<Ipv4Addr>),
    probe: bool,
    leases: &[Record],
) -> server::Server {
    let (server, network) = (plan.network.addr(), plan.network);
    let (excluded, beside, guests) = (excluded.clone(), beside.clone(), plan.guests.clone());
    let config = server::Config { server, network, range, excluded, guests, probe, beside };
    server::Server::new(config, Instant::now(), SystemTime::now(), leases)
}

fn proxy_server(plan: &Plan) -> proxy::Proxy {
    proxy::Proxy::new(proxy::Config { server: plan.network.addr(), network: plan.network, guests: plan.guests.clone() })
}

/// The DHCP machines of a plan without their sockets. Leases are looked at and stay as they are. Where another server
/// names the boot files, these say what ours would name.
pub(super) fn machines(plan: &Plan) -> Machines {
    let full = match &plan.dhcp {
        DhcpPlan::Off | DhcpPlan::Proxy => None,
        DhcpPlan::Full { range, excluded, lease_file, beside, .. } => {
            let Leases { leases } = kept::read(lease_file).unwrap_or_default();
            Some(full_server(plan, (*range, excluded, beside), false, &leases))
        }
    };
    Machines { proxy: proxy_server(plan), full }
}

/// The socket for router advertisements, or why there is none where there is to be one. Booting works without it.
fn router(plan: &Plan, interface: &Interface, sockets: &Sockets) -> (Option<RouterSocket>, Option<String>) {
    if !plan.advertises() || sockets.advertised(interface) {
        return (None, None);
    }
    match RouterSocket::open(interface) {
        Ok(socket) => (Some(socket), None),
        Err(error) => (None, Some(error.to_string())),
    }
}

/// The HTTP socket, and why it is not on the usual port, where it is not.
fn http_socket(
    plan: &Plan,
    interface: &Interface,
    sockets: &mut Sockets,
) -> Result<(TcpListener, Option<BindError>), BindError> {
    let mut open = |port| sockets.tcp(interface, plan.network.addr(), port);
    match plan.ports.http {
        Some(port) => Ok((open(port)?, None)),
        None => match open(http::PORT) {
            Ok(socket) => Ok((socket, None)),
            Err(error) if error.is_taken() => Ok((open(http::SECOND_PORT)?, Some(error))),
            Err(error) => Err(error),
        },
    }
}
