"""Files in, files out: images, imports, injected noise, the demo set, exports."""
