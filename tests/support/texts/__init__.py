"""Small trees, gold data and runs that several tests read."""
