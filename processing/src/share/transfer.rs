//! A share on its way to another process: the memory file rides beside the bytes.

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::handle::{Share, kind_of};
use super::shareable::Shareable;
use crate::shm::store::Store;
use crate::sys::OwnedFd;

impl<T: Shareable> Serialize for Share<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let file = self.store().file().map_err(S::Error::custom)?;
        cucumber::scope::serialize(Box::new(file), serializer)
    }
}

impl<'de, T: Shareable> Deserialize<'de> for Share<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Share<T>, D::Error> {
        let file: OwnedFd = cucumber::scope::deserialize(deserializer)?;
        // A file that arrives under a share's name may be anything, so it is looked over before it is used.
        let store = Store::attach(file, kind_of::<T>()).map_err(D::Error::custom)?;
        Share::of(store).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_that_crosses_is_the_same_share() {
        let mut share = Share::new(vec![1_u32]).unwrap();
        let encoded = cucumber::encode(&(&share, share.clone())).unwrap();
        assert_eq!(encoded.attachments.len(), 2);
        let (one, two): (Share<Vec<u32>>, Share<Vec<u32>>) =
            cucumber::decode(&encoded.bytes, encoded.attachments).unwrap();
        one.push(2);
        two.transaction(|list| one.push(list.len() as u32 + 1));
        share.push(4);
        assert_eq!(*share, [1, 2, 3, 4]);
        drop((one, two));
        assert_eq!(share.len(), 4);
        let _ = &mut share;
    }

    #[test]
    fn a_share_of_another_type_is_refused_and_bytes_alone_too() {
        let share = Share::new(1_u32).unwrap();
        let encoded = cucumber::encode(&share).unwrap();
        assert!(cucumber::decode::<Share<u64>>(&encoded.bytes, encoded.attachments).is_err());
        assert!(cucumber::to_bytes(&share).is_err());
        let file = crate::sys::memory_file("test").unwrap();
        let encoded = cucumber::encode(&share).unwrap();
        assert!(cucumber::decode::<Share<u32>>(&encoded.bytes, vec![Box::new(file)]).is_err());
    }
}
