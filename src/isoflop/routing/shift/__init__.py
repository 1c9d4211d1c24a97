"""What the predictors of correctness lose away from the benchmarks they were made from."""
