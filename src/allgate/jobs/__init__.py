"""Long-running work (video, pictures, Midjourney): its state machine. Empty until those operations land."""
