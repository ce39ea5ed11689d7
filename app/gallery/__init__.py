"""The gallery: every picture of the history in a grid, with filters; made for tens of thousands of them."""
