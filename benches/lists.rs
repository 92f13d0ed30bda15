//! Building lists and opening them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "a bench")]

mod corpus;

use std::hint::black_box;
use std::time::Duration;

use countersign::{Banlist, Substitution};
use criterion::{BatchSize, Throughput};

fn main() {
    let mut criterion = corpus::criterion().sample_size(10);
    let directory = tempfile::tempdir().unwrap();
    for &(size, name) in corpus::sizes() {
        let lines = corpus::terms(size).join("\n");
        let built = || {
            let mut builder = Banlist::builder(&Substitution::entra());
            builder.add_lines(lines.as_bytes()).unwrap();
            let mut file = Vec::new();
            builder.write_to(&mut file).unwrap();
            file
        };

        let mut group = criterion.benchmark_group("lists/build");
        group
            .warm_up_time(Duration::from_millis(100))
            .throughput(Throughput::Elements(size as u64));
        group.bench_function(name, |bench| bench.iter_with_large_drop(built));
        group.finish();

        let file = built();
        let path = directory.path().join(name);
        std::fs::write(&path, &file).unwrap();

        let mut group = criterion.benchmark_group("lists/open");
        group.throughput(Throughput::Bytes(file.len() as u64));
        group.bench_function(format!("{name}/bytes"), |bench| {
            bench.iter_batched(
                || file.clone(),
                |file| Banlist::from_bytes(file).unwrap(),
                BatchSize::PerIteration,
            );
        });
        group.bench_function(format!("{name}/file"), |bench| {
            bench.iter(|| Banlist::open(black_box(&path)).unwrap());
        });
        #[cfg(feature = "mmap")]
        group.bench_function(format!("{name}/map"), |bench| {
            #[allow(unsafe_code, reason = "nobody else knows the file")]
            // SAFETY: the file stays as it is until the end of the program.
            bench.iter(|| unsafe { Banlist::map(black_box(&path)) }.unwrap());
        });
        #[cfg(feature = "mmap")]
        group.bench_function(format!("{name}/map_unverified"), |bench| {
            #[allow(unsafe_code, reason = "nobody else knows the file")]
            // SAFETY: as above.
            bench.iter(|| unsafe { Banlist::map_unverified(black_box(&path)) }.unwrap());
        });
        group.finish();
    }
    criterion.final_summary();
}
