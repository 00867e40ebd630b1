"""What lies behind a URI: object stores and web servers, asked, listed and fetched from."""
