//! Compiles the protos in pure Rust: no installed protoc.
use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=agent");
    println!("cargo:rerun-if-changed=lane");
    let mut compiler = protox::Compiler::new(["."])?;
    compiler.include_source_info(true);
    compiler.include_imports(true);
    compiler.open_files(["agent/v1/link.proto", "lane/v1/lane.proto"])?;
    let files = compiler.file_descriptor_set();
    let published = PathBuf::from(env::var("OUT_DIR")?).join("published.binpb");
    fs::write(published, compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure()
        .btree_map(".")
        .bytes(".weir.agent.v1.DesiredFrame.body")
        .compile_fds(files)?;
    Ok(())
}
