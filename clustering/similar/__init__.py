"""[2] Similar pages: who visited what in, for each page the pages similar to it out."""
