# Numbers of the survey package for tests/golden/portability_design.json; run by validation/portability_design.py.
# Shares of functions (a mean) and of calls (a ratio) under a stratified draw, with and without non-response,
# and under chances in proportion to calls.
suppressMessages({
  library(survey)
  library(jsonlite)
})
options(survey.lonely.psu = "fail")

shares <- function(design) {
  functions <- svymean(~y, design)
  calls <- svyratio(~yc, ~calls, design)
  list(
    functions = unname(coef(functions)), functions_se = unname(c(SE(functions))),
    calls = unname(coef(calls)), calls_se = unname(c(SE(calls))), df = degf(design)
  )
}

stratified <- data.frame(
  stratum = rep(c("low", "middle", "high", "top"), c(5, 6, 5, 4)),
  size = rep(c(60, 40, 23, 4), c(5, 6, 5, 4)),
  calls = c(1, 2, 1, 3, 2, 9, 7, 12, 8, 11, 10, 40, 75, 33, 90, 61, 300, 510, 420, 260),
  y = c(1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0),
  answered = c(1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 0, 1)
)
stratified$yc <- stratified$y * stratified$calls
whole <- svydesign(ids = ~1, strata = ~stratum, fpc = ~size, data = stratified)
kept <- stratified[stratified$answered == 1, ]
left <- svydesign(ids = ~1, strata = ~stratum, fpc = ~size, data = kept)

# Chances in proportion to calls; Brewer's variance with the chances themselves as finite population terms.
pps <- data.frame(
  calls = c(5, 9, 14, 22, 31, 48, 60, 85, 120, 150),
  y = c(1, 0, 1, 1, 0, 0, 1, 0, 1, 0)
)
pps$chance <- 10 * pps$calls / 2000
pps$yc <- pps$y * pps$calls
by_calls <- svydesign(ids = ~1, fpc = ~chance, data = pps, pps = "brewer")

cat(toJSON(list(
  versions = list(R = R.version.string, survey = as.character(packageVersion("survey"))),
  stratified = c(list(rows = stratified[c("stratum", "size", "calls", "y", "answered")]),
    list(whole = shares(whole), answered = shares(left))),
  pps = list(rows = pps[c("calls", "y", "chance")], whole = shares(by_calls))
), digits = 15, auto_unbox = TRUE, dataframe = "rows"))
