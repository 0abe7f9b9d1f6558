//! A loader, fetched whole as a firmware does, and whether that firmware can start it.

use super::{Boot, Loader, Walk, fetch, is_disk};
use crate::image::signature::{self, Signed};
use crate::rehearsal::driver::MAX_LOADER;
use crate::rehearsal::firmware::Fetcher;
use crate::rehearsal::report::{By, Fault};
use crate::rehearsal::tftp::{Options, Wanted};

impl Walk<'_> {
    /// Fetches a loader whole, as this firmware does.
    pub(super) async fn loads(&mut self, file: &str) -> Result<Loader, Fault> {
        if file.starts_with("http://") {
            return self.loads_by_http(file).await;
        }
        let path = file.trim_start_matches('/').to_owned();
        let failed = |trouble| fetch(&path, By::Tftp, trouble);
        let options = self.firmware.tftp(Fetcher::Firmware);
        let told = match self.firmware.is_uefi() {
            // The size first, broken off with an error (WIRE.md section 5).
            true => {
                let probe = Options { size: true, ..options };
                self.net.tftp(file, probe, Wanted::Size).await.map_err(failed)?.size
            }
            false => None,
        };
        let got = self.net.tftp(file, options, Wanted::Whole).await.map_err(failed)?;
        if let Some(expected) = told.or(got.size).filter(|told| *told != got.bytes.len() as u64) {
            return Err(Fault::Short { file: path, expected });
        }
        let signed = self.judge(&path, &got.bytes)?;
        self.loaders.push(path.clone());
        Ok(Loader { path, by: By::Tftp, signed })
    }

    async fn loads_by_http(&mut self, url: &str) -> Result<Loader, Fault> {
        let at = self.at(url)?;
        let path = at.path.clone();
        let failed = |trouble| fetch(&path, By::Http, trouble);
        let whole = format!("/{path}");
        let size = self.net.head(&whole).await.map_err(failed)?.size;
        let Some(size) = size.filter(|size| *size > 0) else { return Err(Fault::Empty { file: path }) };
        if is_disk(&path) && size > MAX_LOADER {
            // A whole image: both of its ends do.
            self.files.check(&self.net, self.firmware, &at).await?;
            self.loaders.push(path.clone());
            return Ok(Loader { path, by: By::Http, signed: None });
        }
        let page = self.net.get(&whole, MAX_LOADER).await.map_err(failed)?;
        if page.bytes.len() as u64 != size {
            return Err(Fault::Short { file: path, expected: size });
        }
        let signed = if is_disk(&path) { None } else { self.judge(&path, &page.bytes)? };
        self.loaders.push(path.clone());
        Ok(Loader { path, by: By::Http, signed })
    }

    /// Whether this firmware can start such a program.
    fn judge(&self, path: &str, bytes: &[u8]) -> Result<Option<Signed>, Fault> {
        let file = path.to_owned();
        if bytes.is_empty() {
            return Err(Fault::Empty { file });
        }
        let read = |at: u64, buffer: &mut [u8]| {
            let from = usize::try_from(at).unwrap_or(usize::MAX);
            let part = bytes.get(from..from.saturating_add(buffer.len()));
            buffer.copy_from_slice(part.ok_or(std::io::ErrorKind::UnexpectedEof)?);
            Ok(())
        };
        let found = signature::of(path, &read, bytes.len() as u64);
        match (self.firmware.machine(), found) {
            (None, None) => Ok(None),
            (Some(wanted), Some(found)) if found.machine == wanted => Ok(Some(found)),
            (_, Some(found)) => Err(Fault::WrongMachine { file, found: found.machine }),
            (Some(_), None) => Err(Fault::NoProgram { file }),
        }
    }

    /// shim takes its own folder from the header's field and starts what lies beside it (WIRE.md section 3).
    pub(super) async fn second_stage(&mut self, boot: &Boot, shim: &Loader, second: &str) -> Result<(), Fault> {
        let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let name = second.rsplit('/').next().unwrap_or(second);
        let path = match shim.by {
            By::Tftp => format!("{}{name}", folder(&boot.field)),
            By::Http => format!("{}{name}", folder(&shim.path)),
        };
        let fetcher = Fetcher::Shim;
        let bytes = match shim.by {
            By::Tftp => {
                let got = self.net.tftp(&path, self.firmware.tftp(fetcher), Wanted::Whole).await;
                got.map(|got| got.bytes).map_err(|trouble| fetch(&path, By::Tftp, trouble))?
            }
            By::Http => {
                let page = self.net.get(&format!("/{path}"), MAX_LOADER).await;
                page.map(|page| page.bytes.to_vec()).map_err(|trouble| fetch(&path, By::Http, trouble))?
            }
        };
        let program = self.judge(&path, &bytes)?;
        let accepted = |shim: &Signed, second: &Signed| {
            let trusted = second.signed_by.iter().any(|signature| signature.authority.is_in_firmware());
            trusted || shim.accepts(&second.signed_by)
        };
        if self.firmware.is_secure()
            && let (Some(shim), Some(second)) = (&shim.signed, &program)
            && !accepted(shim, second)
        {
            return Err(Fault::NotAccepted { file: path });
        }
        self.loaders.push(path);
        Ok(())
    }
}
