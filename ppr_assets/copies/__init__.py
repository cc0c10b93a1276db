"""Places outside git that hold copies of dumps: folders, buckets, remotes of rclone. What belongs
there and for how long is no part of it, nor is git."""
