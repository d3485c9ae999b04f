//! `async fn` hooks: many requests at once in one worker, and a limit that cancels without ending it.

use std::time::{Duration, Instant};

use processing::prelude::*;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Asks a server for one batch of squares in each run.
#[skprocess(runs = 3, lives = 2, timeouts(run = "400ms"))]
struct Client {
    server: String,
    squares: Vec<u64>,
}

#[skprocess]
impl Client {
    async fn run(&mut self) -> anyhow::Result<()> {
        let first = self.current_run() * 20;
        // The first attempt at the second batch would take a minute.
        let slow = self.current_run() == 1 && self.lives_left() == 1;
        let asked: Vec<_> =
            (first..first + 20).map(|number| tokio::spawn(ask(self.server.clone(), number, slow))).collect();
        let mut batch = Vec::new();
        for answer in asked {
            batch.push(answer.await??);
        }
        self.squares.extend(batch);
        self.tell(&(self.current_run(), std::process::id()))?;
        Ok(())
    }

    async fn result(&mut self) -> u64 {
        self.squares.iter().sum()
    }
}

async fn ask(server: String, number: u64, slow: bool) -> anyhow::Result<u64> {
    let mut stream = TcpStream::connect(server).await?;
    let word = if slow { "slowly" } else { "quickly" };
    stream.write_all(format!("{word} {number}\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.trim().parse()?)
}

/// Answers after 50 ms, or, asked slowly, after a minute.
async fn serve(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut line = String::new();
            BufReader::new(&mut stream).read_line(&mut line).await?;
            let (pace, number) = line.trim().split_once(' ').unwrap_or_default();
            let wait = if pace == "slowly" { Duration::from_secs(60) } else { Duration::from_millis(50) };
            tokio::time::sleep(wait).await;
            let number: u64 = number.parse().unwrap_or(0);
            stream.write_all((number * number).to_string().as_bytes()).await
        });
    }
}

async fn run() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let server = listener.local_addr()?.to_string();
    tokio::spawn(serve(listener));

    let begin = Instant::now();
    let client = Client { server, squares: Vec::new() }.start()?;
    for _ in 0..3 {
        // A future like any other; this executor is tokio's, but none in particular is needed.
        let heard = client.asynced().listen::<(u64, u32)>(Duration::from_secs(30)).await?;
        let (batch, pid) = heard.ok_or_else(|| anyhow::anyhow!("the client says nothing"))?;
        println!("after {:>4.0?}: batch {batch} from worker {pid}", begin.elapsed());
    }
    println!("the squares of 0 to 59 add up to {}", client.asynced().result().await?);
    println!(
        "lives left: {}; one attempt was cancelled at its limit, in the same worker",
        client.lives_left()
    );
    Ok(())
}

fn main() -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
}
