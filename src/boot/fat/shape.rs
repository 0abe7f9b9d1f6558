//! How large clusters and tables are, and the sectors in front of them.

use super::Error;

/// Bytes in a sector. Others are allowed, but there is code that knows only this (section "Boot Sector and BPB",
/// BPB_BytsPerSec).
pub(super) const SECTOR: u64 = 512;
/// A medium that is not removed (BPB_Media).
pub(super) const MEDIA: u8 = 0xf8;
/// The name of the disk (BS_VolLab), which GRUB's `search --label` finds.
pub(super) const LABEL: &[u8; 11] = b"BOOTWRIGHT ";
/// The number of the disk (BS_VolID). The same for every one, since it takes part in what must not change.
const VOLUME: u32 = 0x4257_0001;
/// A second table is no use on a RAM disk, but there are drivers that expect two (BPB_NumFATs).
const TABLES: u64 = 2;
/// Records in the root of FAT16: for compatibility this many (BPB_RootEntCnt), more where they are needed.
const ROOT_RECORDS: u64 = 512;
const RECORD: u64 = 32;
/// Sectors in front of the tables of FAT32: what is usual (BPB_RsvdSecCnt).
const RESERVED_32: u64 = 32;
/// Where FAT32 has its figures of free space and the copies of both (BPB_FSInfo, BPB_BkBootSec).
const FS_INFO: u16 = 1;
const BACKUP: u16 = 6;
/// With fewer than 4085 clusters it is FAT12, with fewer than 65525 FAT16, by nothing else; and one should stay 16 away
/// from both, since drivers differ in how they count (section "FAT Type Determination").
const MARGIN: u64 = 16;
const FAT16: (u64, u64) = (4085 + MARGIN, 65525 - 1 - MARGIN);
/// Twenty-eight bits count clusters, and some values mean something else (section "FAT Data Structure").
const FAT32: (u64, u64) = (65525 + MARGIN, 0x0fff_fff0);
/// Sizes of clusters in bytes; there must be none above 32 KiB (BPB_SecPerClus).
const CLUSTERS: [u64; 7] = [512, 1024, 2048, 4096, 8192, 16384, 32768];
/// What the number of sectors can say (BPB_TotSec32), in bytes.
const MAX_SIZE: u64 = u32::MAX as u64 * SECTOR;
/// Larger clusters are read with fewer steps, so they are taken where they cost no more than this part of the disk.
const SLACK: u64 = 64;

/// Which kind of FAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Fat16,
    Fat32,
}

impl Kind {
    /// Bytes of an entry in the table.
    pub(super) fn width(self) -> usize {
        match self {
            Kind::Fat16 => 2,
            Kind::Fat32 => 4,
        }
    }

    /// What ends a chain.
    pub(super) fn end_of_chain(self) -> u32 {
        match self {
            Kind::Fat16 => 0xffff,
            Kind::Fat32 => 0x0fff_ffff,
        }
    }

    fn clusters(self) -> (u64, u64) {
        match self {
            Kind::Fat16 => FAT16,
            Kind::Fat32 => FAT32,
        }
    }
}

/// What a disk has to hold: lengths in bytes.
pub(super) struct Demand {
    pub(super) root: u64,
    pub(super) folders: Vec<u64>,
    pub(super) files: Vec<u64>,
}

impl Demand {
    /// How many clusters of this size it fills.
    pub(super) fn clusters(&self, cluster: u64, kind: Kind) -> u64 {
        let root = (kind == Kind::Fat32).then_some(&self.root);
        root.into_iter().chain(&self.folders).chain(&self.files).map(|length| length.div_ceil(cluster)).sum()
    }
}

/// Where everything is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) kind: Kind,
    /// Bytes of a cluster.
    pub(super) cluster: u64,
    /// How many there are.
    clusters: u64,
    /// Sectors of one table.
    table: u64,
    /// Sectors in front of the tables.
    reserved: u64,
    /// Records of a root that is not in clusters.
    root: u64,
}

impl Shape {
    /// FAT16 where it holds all, else FAT32, with the largest clusters that do not make the disk much larger.
    pub(super) fn choose(demand: &Demand, limit: u64) -> Result<Shape, Error> {
        let limit = limit.min(MAX_SIZE);
        let shapes = |kind| CLUSTERS.iter().filter_map(move |cluster| Shape::new(kind, *cluster, demand));
        let mut fitting: Vec<Shape> = shapes(Kind::Fat16).collect();
        if fitting.is_empty() {
            fitting = shapes(Kind::Fat32).collect();
        }
        let least = fitting.iter().map(Shape::size).min();
        let least = least.unwrap_or_else(|| demand.clusters(SECTOR, Kind::Fat32).saturating_mul(SECTOR));
        let worth = (least + least / SLACK).min(limit);
        let shape = fitting.into_iter().rfind(|shape| shape.size() <= worth);
        shape.ok_or(Error::Size { size: least, limit })
    }

    /// `None` where there are more clusters than this kind can count.
    pub(super) fn new(kind: Kind, cluster: u64, demand: &Demand) -> Option<Shape> {
        let (least, most) = kind.clusters();
        let clusters = demand.clusters(cluster, kind).max(least);
        let (reserved, root) = match kind {
            Kind::Fat16 => (1, (demand.root / RECORD).max(ROOT_RECORDS).next_multiple_of(SECTOR / RECORD)),
            Kind::Fat32 => (RESERVED_32, 0),
        };
        // Two entries are there before the first cluster's.
        let table = ((clusters + 2) * kind.width() as u64).div_ceil(SECTOR);
        (clusters <= most).then_some(Shape { kind, cluster, clusters, table, reserved, root })
    }

    /// Size of the disk in bytes.
    pub(super) fn size(&self) -> u64 {
        self.data() + self.clusters * self.cluster
    }

    /// Where the first cluster is (section "FAT Data Structure", FirstDataSector).
    fn data(&self) -> u64 {
        self.root_at() + self.root_length()
    }

    /// Where the root of FAT16 is.
    pub(super) fn root_at(&self) -> u64 {
        (self.reserved + TABLES * self.table) * SECTOR
    }

    /// Bytes of the root of FAT16; none on FAT32.
    pub(super) fn root_length(&self) -> u64 {
        self.root * RECORD
    }

    /// Where a cluster is. The first one is number 2.
    pub(super) fn cluster_at(&self, number: u64) -> u64 {
        self.data() + number.saturating_sub(2) * self.cluster
    }

    /// Where the tables are, and how many bytes each has.
    pub(super) fn tables(&self) -> impl Iterator<Item = (u64, u64)> + use<> {
        let (reserved, length) = (self.reserved * SECTOR, self.table * SECTOR);
        (0..TABLES).map(move |number| (reserved + number * length, length))
    }

    /// The sectors in front of the tables, where so many clusters are in use.
    pub(super) fn boot_sectors(&self, used: u64) -> Vec<u8> {
        let boot = self.boot_sector();
        let mut sectors = boot.clone();
        if self.kind == Kind::Fat32 {
            let info = self.free_space(used);
            sectors.extend(&info);
            sectors.resize(usize::from(BACKUP) * SECTOR as usize, 0);
            sectors.extend(boot);
            sectors.extend(info);
        }
        sectors.resize((self.reserved * SECTOR) as usize, 0);
        sectors
    }

    /// Section "Boot Sector and BPB". There is no code for BIOS computers in it; where a partition table would be, zeros
    /// say that there is none.
    fn boot_sector(&self) -> Vec<u8> {
        let sectors = self.size() / SECTOR;
        let mut out = Vec::new();
        out.extend(if self.kind == Kind::Fat16 { [0xeb, 0x3c, 0x90] } else { [0xeb, 0x58, 0x90] });
        // What is recommended, since some drivers look at it (BS_OEMName).
        out.extend(b"MSWIN4.1");
        out.extend(short(SECTOR));
        out.push((self.cluster / SECTOR) as u8);
        out.extend(short(self.reserved));
        out.push(TABLES as u8);
        out.extend(short(self.root));
        // Sixteen bits where they suffice, on FAT16 only; else 0.
        let small = self.kind == Kind::Fat16 && sectors <= u64::from(u16::MAX);
        out.extend(short(if small { sectors } else { 0 }));
        out.push(MEDIA);
        out.extend(short(if self.kind == Kind::Fat16 { self.table } else { 0 }));
        // Sectors a track and heads, as computers have assumed them for disks of more than 504 MB; nothing hidden.
        out.extend(short(63));
        out.extend(short(255));
        out.extend(long(0));
        out.extend(long(if small { 0 } else { sectors }));
        if self.kind == Kind::Fat32 {
            out.extend(long(self.table));
            // Both tables alike, version 0.0, root in cluster 2.
            out.extend([0; 4]);
            out.extend(long(2));
            out.extend(FS_INFO.to_le_bytes());
            out.extend(BACKUP.to_le_bytes());
            out.extend([0; 12]);
        }
        // A hard disk's number, and that the three fields behind are there.
        out.extend([0x80, 0, 0x29]);
        out.extend(VOLUME.to_le_bytes());
        out.extend(LABEL);
        out.extend(if self.kind == Kind::Fat16 { b"FAT16   " } else { b"FAT32   " });
        out.resize(SECTOR as usize - 2, 0);
        out.extend([0x55, 0xaa]);
        out
    }

    /// Section "FAT32 FSInfo Sector Structure".
    fn free_space(&self, used: u64) -> Vec<u8> {
        let mut out = long(0x4161_5252).to_vec();
        out.resize(484, 0);
        out.extend(long(0x6141_7272));
        out.extend(long(self.clusters - used));
        out.extend(long(used + 2));
        out.resize(508, 0);
        out.extend(long(0xaa55_0000));
        out
    }
}

/// A number that fits, as [`Shape::new`] has seen to it.
fn short(number: u64) -> [u8; 2] {
    (number as u16).to_le_bytes()
}

fn long(number: u64) -> [u8; 4] {
    (number as u32).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn shape(files: &[u64]) -> Shape {
        Shape::choose(&Demand { root: 64, folders: vec![], files: files.to_vec() }, u64::MAX).unwrap()
    }

    #[test]
    fn clusters_fit_what_is_to_be_held() {
        let cases: [(&[u64], Kind, u64, u64); 6] = [
            // The least of FAT16: padding, but only two megabytes of it.
            (&[], Kind::Fat16, 512, 4101),
            (&[100], Kind::Fat16, 512, 4101),
            (&[60 * MIB], Kind::Fat16, 8192, 60 * 128),
            // The most that FAT16 holds with the largest clusters, and one byte more.
            (&[65508 * 32768], Kind::Fat16, 32768, 65508),
            (&[65508 * 32768 + 1], Kind::Fat32, 32768, 65541),
            (&[4095 * MIB, 4095 * MIB], Kind::Fat32, 32768, 2 * 4095 * 32 + 1),
        ];
        for (files, kind, cluster, clusters) in cases {
            let shape = shape(files);
            assert_eq!((shape.kind, shape.cluster, shape.clusters), (kind, cluster, clusters), "{files:?}");
        }
    }

    #[test]
    fn many_small_files_do_not_get_large_clusters() {
        let shape = shape(&[100; 4096]);
        assert_eq!((shape.kind, shape.cluster), (Kind::Fat16, 512));
        assert!(shape.size() < 3 * MIB);
    }

    #[test]
    fn clusters_never_come_near_the_number_where_drivers_differ() {
        for size in (0..4096).map(|step| step * MIB + step) {
            let shape = shape(&[size]);
            let (least, most) = shape.kind.clusters();
            assert!((least..=most).contains(&shape.clusters), "{size}: {shape:?}");
            assert!(shape.size() >= size);
            assert!(shape.size() <= size + size / 16 + 3 * MIB, "{size}: {shape:?}");
        }
    }

    #[test]
    fn the_limit_is_kept_and_named() {
        let demand = Demand { root: 64, folders: vec![], files: vec![10 * MIB] };
        let size = Shape::choose(&demand, u64::MAX).unwrap().size();
        assert!(Shape::choose(&demand, size).is_ok());
        let Err(Error::Size { size, limit }) = Shape::choose(&demand, 10 * MIB) else { panic!("a disk") };
        assert!(size > 10 * MIB);
        assert_eq!(limit, 10 * MIB);
        // 16 TiB: more than sectors can be counted.
        let demand = Demand { root: 64, folders: vec![], files: vec![u64::from(u32::MAX); 4096] };
        assert!(matches!(Shape::choose(&demand, u64::MAX), Err(Error::Size { limit: MAX_SIZE, .. })));
    }
}
