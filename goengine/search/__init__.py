"""Reading: AlphaGo's tree search over arrays, in compiled code around one evaluator."""
