"""The decision pack as a page, and as the PDF that proves itself."""
