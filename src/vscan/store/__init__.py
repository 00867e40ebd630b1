"""What a scan leaves on disk: verdict records now, tracks of frames beside them."""
