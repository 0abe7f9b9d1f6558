//! Carries a thing that cannot be copied inside a message, which iced may copy.

use std::fmt;
use std::sync::{Arc, Mutex};

/// Something that is taken out once.
pub struct Parcel<T>(Arc<Mutex<Option<T>>>);

impl<T> Parcel<T> {
    /// Wraps it.
    pub fn new(content: T) -> Parcel<T> {
        Parcel(Arc::new(Mutex::new(Some(content))))
    }

    /// What is inside, for the first one who asks.
    pub fn take(&self) -> Option<T> {
        self.0.lock().ok()?.take()
    }
}

impl<T> Clone for Parcel<T> {
    fn clone(&self) -> Parcel<T> {
        Parcel(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Parcel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parcel")
    }
}
