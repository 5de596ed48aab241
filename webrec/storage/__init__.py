"""Row stores behind one small seam, opened by URI."""
