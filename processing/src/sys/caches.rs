//! How near to each other the cores of this machine are.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

/// Whether all cores have one last cache in common, so that what one of them has written is near to the others, too.
/// `false` where that is not to be found out.
pub(crate) fn share_a_cache() -> bool {
    static SHARED: LazyLock<bool> =
        LazyLock::new(|| look(Path::new("/sys/devices/system/cpu")) == Some(true));
    *SHARED
}

fn look(cores: &Path) -> Option<bool> {
    let all = fs::read_to_string(cores.join("online")).ok()?;
    let of_the_last =
        |index| fs::read_to_string(cores.join(format!("cpu0/cache/index{index}/shared_cpu_list")));
    // Two of the first level, and one each of those behind them.
    let sharers = (1..=4).rev().find_map(|index| of_the_last(index).ok())?;
    Some(all == sharers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_cache_is_what_counts() {
        let folder = std::env::temp_dir().join(format!("processing-caches-{}", std::process::id()));
        let write = |file: &str, text| {
            let file = folder.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        write("online", "0-3\n");
        assert_eq!(look(&folder), None);
        write("cpu0/cache/index2/shared_cpu_list", "0-3\n");
        assert_eq!(look(&folder), Some(true));
        write("cpu0/cache/index3/shared_cpu_list", "0-1\n");
        assert_eq!(look(&folder), Some(false));
        fs::remove_dir_all(&folder).unwrap();
    }
}
