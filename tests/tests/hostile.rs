//! Workers that write anything into whatever they hold: it costs them, and nobody else. `docs/security.md` has the claims.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use std::fs::{self, OpenOptions};
use std::os::fd::RawFd;
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::time::{Duration, Instant};

use processing::prelude::*;
use processing::{CurrentTask, Pipe, Point, Pool, Stream, task};
use serde::{Deserialize, Serialize};
use tests::noise::{Noise, held, sockets};
use tests::{TempDir, watchdog};

/// Writes noise over memory that this process shares, wherever its name begins like this.
fn scribble(name: &str, noise: &mut Noise, words: usize) -> usize {
    let mut written = 0;
    for (number, target) in held(std::process::id()) {
        if !target.starts_with(&format!("/memfd:{name}")) {
            continue;
        }
        let file = OpenOptions::new().write(true).open(format!("/proc/self/fd/{number}")).unwrap();
        let length = (file.metadata().unwrap().len() as usize).min(1 << 16);
        for _ in 0..words.min(length / 8) {
            let at = 8 * noise.below(length / 8) as u64;
            file.write_all_at(&noise.word(), at).unwrap();
            written += 1;
        }
    }
    written
}

/// Sends noise where its parent listens.
fn shout(noise: &mut Noise) {
    sockets().iter().for_each(|socket| noise.shout_at(socket, 3000));
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Crime {
    Shout,
    Scribble,
    Both,
}

/// Does it in each of its iterations, and goes on as if nothing had been.
#[skprocess(runs = 20, lives = 3, timeouts(run = "2s"))]
struct Criminal {
    crime: Crime,
    seed: u64,
    ballast: Vec<u8>,
}

#[skprocess]
impl Criminal {
    fn run(&mut self) -> anyhow::Result<()> {
        let mut noise = Noise((self.seed * 1000 + self.current_run() + u64::from(std::process::id())) | 1);
        if self.current_run() == 0 {
            self.tell("at it")?;
        }
        if matches!(self.crime, Crime::Shout | Crime::Both) {
            shout(&mut noise);
        }
        if matches!(self.crime, Crime::Scribble | Crime::Both) {
            scribble("processing-s", &mut noise, 1 + noise_size(self.seed));
        }
        Ok(())
    }
    fn result(&mut self) -> usize {
        self.ballast.len()
    }
}

/// A few words at times, and most of a page at others.
fn noise_size(seed: u64) -> usize {
    [1, 20, 2000][seed as usize % 3]
}

/// Echoes what it hears.
#[skprocess]
struct Bystander {}

#[skprocess]
impl Bystander {
    fn run(&mut self) -> anyhow::Result<()> {
        if let Some(number) = self.listen::<u64>(None)? {
            self.tell(&number)?;
        }
        Ok(())
    }
}

/// All that can be asked of a process, whatever the answers are worth.
fn ask_everything<W: Skprocess>(handle: &Handle<W>) {
    let timers = handle.timers();
    for timer in [timers.prerun, timers.run, timers.postrun, timers.full_run] {
        let _ = (timer.num_times(), timer.total(), timer.mean(), timer.median(), timer.stdev(), timer.min());
        let _ = (timer.max(), timer.most_recent(), timer.percentile(99.0), format!("{timer:?}"));
    }
    let _ = (handle.phase(), handle.current_run(), handle.lives_left(), handle.pid(), handle.is_alive());
    let _ = (handle.failure().map(|error| tests::chain(&error)), format!("{handle:?}"));
}

fn criminals(crime: Crime) {
    let _watchdog = watchdog();
    let bystander = Bystander {}.start().unwrap();
    for seed in 0..30 {
        let criminal = Criminal { crime, seed, ballast: vec![7; 1000] };
        let criminal = criminal.configure(|config| config.stderr(Stream::Null)).start().unwrap();
        let begin = Instant::now();
        while criminal.is_alive() {
            if begin.elapsed() > Duration::from_millis(500) {
                // It has written that it has not done anything yet, again and again. This it cannot do anything about.
                criminal.kill();
            }
            ask_everything(&criminal);
            // Whatever it says, or does not say.
            match criminal.listen::<String>(Duration::from_millis(1)) {
                Ok(_) => {}
                Err(error) => drop(tests::chain(&error)),
            }
        }
        if let Err(error) = criminal.result() {
            assert!(!tests::chain(&error).is_empty());
        }
        ask_everything(&criminal);
        bystander.tell(&seed).unwrap();
        assert_eq!(bystander.listen::<u64>(None).unwrap(), Some(seed));
    }
    bystander.stop();
    bystander.wait().unwrap();
}

#[test]
fn noise_on_the_channel_costs_that_worker_only() {
    criminals(Crime::Shout);
}

#[test]
fn noise_on_the_status_page_and_in_the_state_costs_that_process_only() {
    criminals(Crime::Scribble);
}

#[test]
fn noise_everywhere_costs_that_process_only() {
    criminals(Crime::Both);
}

#[test]
fn noise_of_a_pools_worker_costs_no_other_pool_anything() {
    let _watchdog = watchdog();
    let bystander = Pool::new(1).unwrap();
    for seed in 0..20_u64 {
        let pool = Pool::builder().workers(2).lives(2).stderr(Stream::Null).build().unwrap();
        let work = task!([seed] |number: u64| {
            let attempt = CurrentTask::get().map_or(0, |task| task.attempt);
            let mut noise = Noise(((seed << 20) | (number << 4) | u64::from(attempt)) + 1);
            if number % 7 == 3 {
                scribble("processing-", &mut noise, noise_size(seed));
            }
            if number % 11 == 5 && seed % 2 == 0 {
                shout(&mut noise);
            }
            number
        });
        // Who withholds its results is no better than one that never ends: that is what limits are for.
        let results = pool.timeout(Duration::from_millis(500)).map_results(work, 0..60);
        // Those that were not even pulled when the time was over have no place.
        assert!(results.len() <= 60);
        results.iter().filter_map(|result| result.as_ref().err()).for_each(|error| drop(tests::chain(error)));
        drop(pool);
        assert_eq!(bystander.map(|number: u64| number + 1, 0..10).unwrap(), (1..11).collect::<Vec<_>>());
    }
}

/// A process that holds one of each.
#[skprocess]
struct Holder {
    share: Share<u64>,
    pipe: Point<u64, u64>,
}

#[skprocess]
impl Holder {
    fn run(&mut self) -> anyhow::Result<()> {
        let _pool = Pool::new(1)?.map(|number: u64| number, [1])?;
        self.tell(&held(std::process::id()))?;
        let _: Option<u64> = self.listen(None)?;
        Ok(())
    }
}

/// The second column of a table in `/proc/net` that names inodes, of those that have a name or listen.
fn public_inodes() -> Vec<String> {
    let unix = fs::read_to_string("/proc/net/unix").unwrap();
    let named = unix.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut inodes: Vec<_> = named.filter(|words| words.len() > 7).map(|words| words[6].to_owned()).collect();
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let text = fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
        let rows = text.lines().skip(1).filter_map(|line| line.split_whitespace().nth(9));
        inodes.extend(rows.map(str::to_owned));
    }
    inodes
}

#[test]
fn nothing_has_a_name_that_others_could_reach() {
    let _watchdog = watchdog();
    let temporary = TempDir::new();
    let (_anchor, point) = Pipe::pair::<u64, u64>().unwrap();
    let share = Share::new(7_u64).unwrap();
    let holder = Holder { share: share.clone(), pipe: point }.start().unwrap();
    let theirs: Vec<(RawFd, String)> = holder.listen(None).unwrap().unwrap();
    let public = public_inodes();
    let ours = held(std::process::id());
    for (_, target) in theirs.iter().chain(&ours) {
        if let Some(inode) = target.strip_prefix("socket:[") {
            assert!(
                !public.contains(&inode.trim_end_matches(']').to_owned()),
                "{target} can be connected to"
            );
        }
        assert!(!target.starts_with("/dev/shm"), "{target} has a name");
        assert!(!target.starts_with(&temporary.path().display().to_string()), "{target} has a name");
    }
    assert!(theirs.iter().any(|(_, target)| target.starts_with("/memfd:processing-status")), "{theirs:?}");
}

#[test]
fn a_worker_holds_no_descriptor_that_is_not_its_own() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let secret = dir.path().join("secret");
    let _open = fs::File::create(&secret).unwrap();
    let (_anchor, point) = Pipe::pair::<u64, u64>().unwrap();
    let (_other_anchor, _other_point) = Pipe::pair::<u64, u64>().unwrap();
    let _other_share = Share::new(7_u64).unwrap();
    let bystander = Bystander {}.start().unwrap();
    let holder = Holder { share: Share::new(7_u64).unwrap(), pipe: point }.start().unwrap();
    let theirs: Vec<(RawFd, String)> = holder.listen(None).unwrap().unwrap();
    let count = |begin: &str| theirs.iter().filter(|(_, target)| target.starts_with(begin)).count();
    assert!(!theirs.iter().any(|(_, target)| target.contains("secret")), "{theirs:?}");
    // Its own status page, and that of the one worker of its pool; no other process's.
    assert!((1..=2).contains(&count("/memfd:processing-status")), "{theirs:?}");
    assert_eq!(count("/memfd:processing-pipe"), 1, "{theirs:?}");
    drop(bystander);
}

#[test]
fn other_users_can_open_nothing_of_a_worker() {
    let _watchdog = watchdog();
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can be another user for a moment");
        return;
    }
    let (_anchor, point) = Pipe::pair::<u64, u64>().unwrap();
    let holder = Holder { share: Share::new(7_u64).unwrap(), pipe: point }.start().unwrap();
    let _: Vec<(RawFd, String)> = holder.listen(None).unwrap().unwrap();
    let theirs = held(holder.pid());
    let memory: Vec<_> =
        theirs.iter().filter(|(_, target)| target.starts_with("/memfd:processing-")).collect();
    let open = |user: u32, number: RawFd| {
        let path = format!("/proc/{}/fd/{number}", holder.pid());
        let mut command = Command::new("/usr/bin/head");
        command.args(["-c", "1", &path]).current_dir("/");
        std::os::unix::process::CommandExt::uid(&mut command, user);
        std::os::unix::process::CommandExt::gid(&mut command, user);
        command.output().unwrap().status.success()
    };
    // Those of its pool are closed by now, or about to be.
    let mut opened = 0;
    for &&(number, ref target) in &memory {
        assert!(!open(65534, number), "another user can open {target}");
        opened += usize::from(open(0, number));
    }
    assert!(opened >= 3, "the same user can, or this test tests nothing: {theirs:?}");
}
