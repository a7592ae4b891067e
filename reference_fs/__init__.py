"""VexFS, the reference file system: a model, the fronts that speak FUSE for it, and defects it can repeat."""
