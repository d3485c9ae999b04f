//! How near to each other the cores of this machine are.

use std::sync::LazyLock;

use windows_sys::Win32::System::SystemInformation::{
    GetLogicalProcessorInformation, RelationCache, SYSTEM_LOGICAL_PROCESSOR_INFORMATION,
};
use windows_sys::Win32::System::Threading::GetActiveProcessorGroupCount;

/// Whether all cores have one last cache in common, so that what one of them has written is near to the others, too.
/// `false` where that is not to be found out.
pub(crate) fn share_a_cache() -> bool {
    static SHARED: LazyLock<bool> = LazyLock::new(|| look() == Some(true));
    *SHARED
}

fn look() -> Option<bool> {
    // SAFETY: has no requirement.
    if unsafe { GetActiveProcessorGroupCount() } > 1 {
        // More than 64 of them, of which the call below sees but one group.
        return Some(false);
    }
    let size = size_of::<SYSTEM_LOGICAL_PROCESSOR_INFORMATION>();
    // Room for far more than 64 cores have.
    let mut about = vec![SYSTEM_LOGICAL_PROCESSOR_INFORMATION::default(); 1024];
    let mut length = (about.len() * size) as u32;
    // SAFETY: there is as much room as is said, and how much of it is written has somewhere to go.
    if unsafe { GetLogicalProcessorInformation(about.as_mut_ptr(), &raw mut length) } == 0 {
        return None;
    }
    let caches =
        about.iter().take(length as usize / size).filter(|about| about.Relationship == RelationCache);
    // SAFETY: of a cache it is the cache that is told, and all of the union were zeroes before.
    let levels: Vec<u8> = caches.map(|about| unsafe { about.Anonymous.Cache }.Level).collect();
    let last = levels.iter().max()?;
    // Those of the first level belong to one core each.
    Some(*last > 1 && levels.iter().filter(|level| *level == last).count() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_an_answer() {
        assert_eq!(share_a_cache(), look() == Some(true));
    }
}
