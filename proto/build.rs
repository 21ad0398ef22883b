//! Compiles the protos in pure Rust: no installed protoc.
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=agent");
    println!("cargo:rerun-if-changed=lane");
    let files = protox::compile(["agent/v1/link.proto", "lane/v1/lane.proto"], ["."])?;
    tonic_prost_build::configure()
        .btree_map(".")
        .bytes(".weir.agent.v1.DesiredFrame.body")
        .compile_fds(files)?;
    Ok(())
}
