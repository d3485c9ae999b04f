//! What is in a value, and what makes it big: `cargo run --example inspect`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use processing::cucumber;
use serde::{Deserialize, Serialize};

/// What a renderer works on.
#[cucumber]
struct Renderer {
    name: String,
    scene: Rc<Layer>,
    cache: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    /// The same cache.
    previews: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    log: File,
    limit: Option<Duration>,
    quality: Quality,
    samples: Vec<f32>,
}

#[derive(Serialize, Deserialize)]
enum Quality {
    Draft,
    Final { passes: u32, gamma: f64 },
}

#[cucumber]
struct Layer {
    title: String,
    parent: RefCell<Weak<Layer>>,
    children: RefCell<Vec<Rc<Layer>>>,
}

fn layer(title: &str, children: Vec<Rc<Layer>>) -> Rc<Layer> {
    let layer =
        Rc::new(Layer { title: title.into(), parent: RefCell::default(), children: RefCell::new(children) });
    for child in layer.children.borrow().iter() {
        *child.parent.borrow_mut() = Rc::downgrade(&layer);
    }
    layer
}

fn main() -> anyhow::Result<()> {
    let images = [("sky", 90_000), ("hill", 2_500), ("house", 120)];
    let images = images.map(|(name, size)| (name.to_owned(), vec![0x5a; size]));
    let cache = Arc::new(Mutex::new(BTreeMap::from(images)));
    let renderer = Renderer {
        name: "evening".into(),
        scene: layer("picture", vec![layer("sky", vec![]), layer("ground", vec![layer("house", vec![])])]),
        previews: cache.clone(),
        cache,
        log: File::open("/dev/null")?,
        limit: Some(Duration::from_secs(30)),
        quality: Quality::Final { passes: 3, gamma: 2.2 },
        samples: (0..200).map(|n| n as f32 / 8.0).collect(),
    };

    let tree = cucumber::inspect(&renderer);
    println!("{tree}\n");

    println!("The biggest parts:");
    for (path, bytes) in tree.largest(3) {
        println!("{bytes:>9} bytes  {path}");
    }

    let json = cucumber::inspect(&[Quality::Draft, renderer.quality]).to_json();
    println!("\nA part of it as JSON:\n{json}\n");

    // What was written can be looked at, too, by whoever has nothing but the bytes.
    let bytes = cucumber::to_bytes(&Quality::Final { passes: 3, gamma: 2.2 })?;
    println!("Its {} bytes, by themselves:\n{}", bytes.len(), cucumber::inspect_bytes(&bytes)?);
    Ok(())
}
