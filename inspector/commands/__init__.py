"""The commands of the command line, one to a module: parse, call one public function, write.

Results go to stdout, progress and messages to stderr. Each module has the function that typer
reads and the EXAMPLE of its help. Heavy rooms are imported inside the functions, so that --help
answers at once. Must not know: formulas.
"""
