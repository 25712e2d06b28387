"""What is kept: facts in SQL, arrays in files, both written so that nobody sees half of them."""
