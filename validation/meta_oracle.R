# Numbers of metafor and clubSandwich for tests/golden/meta_metafor.json; run by validation/meta_oracle.py.
# Tolerances are tightened throughout, so that what differs from these numbers is a difference of method.
suppressMessages({
  library(metafor)
  library(clubSandwich)
  library(jsonlite)
})

UNI <- list(threshold = 1e-14, maxiter = 100000, tol = 1e-15)
MULTI <- list(optimizer = "bobyqa", rhoend = 1e-12, maxfun = 100000)
ROOT <- list(tol = 1e-13, maxiter = 100000)

bcg <- escalc("RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
schools <- dat.konstantopoulos2011
smoke <- dat.hackshaw1998
data <- list(
  bcg = list(
    source = "Colditz et al. (1994), JAMA 271, 698-702: log risk ratios of 13 BCG vaccine trials",
    y = c(bcg$yi), v = bcg$vi, latitude = bcg$ablat, year = bcg$year, allocation = as.character(bcg$alloc)
  ),
  schools = list(
    source = "Konstantopoulos (2011), Res. Synth. Meth. 2, 61-76: 56 schools in 11 districts",
    y = c(schools$yi), v = schools$vi, district = as.character(schools$district), year = schools$year
  ),
  smoke = list(
    source = "Hackshaw et al. (1997), BMJ 315, 980-988: log odds ratios of 37 studies",
    y = c(smoke$yi), v = smoke$vi
  ),
  three = list(source = "invented: three studies", y = c(0.12, 0.48, 0.95), v = c(0.04, 0.02, 0.09)),
  alike = list(
    source = "invented: five studies that agree more than their errors let expect",
    y = c(0.30, 0.33, 0.29, 0.35, 0.31), v = c(0.05, 0.02, 0.04, 0.03, 0.08)
  ),
  unequal = list(
    source = "invented: eight studies whose variances span five decades",
    y = c(0.10, 0.62, -0.35, 0.41, 1.20, 0.18, -0.90, 0.55),
    v = c(1e-5, 3e-4, 2e-3, 1e-2, 8e-2, 3e-1, 0.9, 1.0)
  )
)

fit <- function(d, method, test, ...) {
  suppressWarnings(rma(y, v, data = d, method = method, test = test, control = UNI, ...))
}
numbers <- function(m) {
  list(
    b = c(m$beta), se = m$se, low = m$ci.lb, high = m$ci.ub, statistic = m$zval, p = m$pval,
    tau2 = m$tau2, tau2_se = m$se.tau2, i2 = m$I2 / 100, h2 = m$H2, q = m$QE, q_p = m$QEp
  )
}
plain <- function(m, ...) {
  p <- predict(m, ...)
  list(low = p$pi.lb, high = p$pi.ub)
}

grid <- lapply(data[c("bcg", "schools", "three", "alike", "unequal")], function(d) {
  methods <- c("FE", "DL", "PM", "HE", "SJ", "ML", "REML")
  sapply(methods, simplify = FALSE, function(method) {
    sapply(c("z", "knha", "adhoc"), simplify = FALSE, function(test) {
      m <- fit(d, method, test)
      c(numbers(m), list(log_likelihood = c(logLik(m)), plain = if (method != "FE") plain(m)))
    })
  })
})

riley <- lapply(data[c("bcg", "schools", "three", "alike", "unequal")], function(d) {
  m <- fit(d, "REML", "z")
  half <- qt(0.975, m$k - 2) * sqrt(m$tau2 + m$se^2)
  list(low = c(m$beta) - half, high = c(m$beta) + half)
})

q_profile <- lapply(data[c("bcg", "schools", "three", "alike", "unequal")], function(d) {
  ci <- confint(fit(d, "REML", "z"), control = ROOT)$random
  list(tau2 = ci["tau^2", 2:3], i2 = ci["I^2(%)", 2:3] / 100, h2 = ci["H^2", 2:3])
})

regression <- sapply(c("FE", "DL", "PM", "HE", "SJ", "ML", "REML"), simplify = FALSE, function(method) {
  sapply(c("z", "knha", "adhoc"), simplify = FALSE, function(test) {
    m <- fit(data$bcg, method, test, mods = ~ latitude + year)
    c(numbers(m), list(
      qm = m$QM, qm_p = m$QMp, r2 = if (method != "FE") m$R2 / 100,
      plain = if (method != "FE") plain(m, newmods = c(40, 1960))
    ))
  })
})
q_profile_regression <- local({
  ci <- confint(fit(data$bcg, "REML", "z", mods = ~ latitude + year), control = ROOT)$random
  list(tau2 = ci["tau^2", 2:3], i2 = ci["I^2(%)", 2:3] / 100, h2 = ci["H^2", 2:3])
})
own_weights <- sapply(c("z", "knha"), simplify = FALSE, function(test) {
  numbers(fit(data$bcg, "REML", test, mods = ~ latitude, weights = sqrt(seq_along(data$bcg$y))))
})

multi <- function(method, test, mods = ~ 1, W = NULL) {
  d <- as.data.frame(data$schools[c("y", "v", "district", "year")])
  d$row <- seq_len(nrow(d))
  args <- list(
    yi = d$y, V = d$v, mods = mods, random = ~ 1 | district / row, data = d, method = method,
    test = test, dfs = if (test == "t") "contain" else "residual", control = MULTI
  )
  if (!is.null(W)) args$W <- W
  do.call(rma.mv, args)
}
three_level <- sapply(c("REML", "ML"), simplify = FALSE, function(method) {
  sapply(c("intercept", "year"), simplify = FALSE, function(what) {
    mods <- if (what == "year") ~ year else ~ 1
    m <- multi(method, "z", mods)
    ci <- confint(m, control = ROOT)
    list(
      b = c(m$beta), se = m$se, low = m$ci.lb, high = m$ci.ub, p = m$pval,
      cluster = m$sigma2[1], study = m$sigma2[2], log_likelihood = c(logLik(m)), q = m$QE,
      cluster_interval = ci[[1]]$random[1, 2:3], study_interval = ci[[2]]$random[1, 2:3],
      plain = if (what == "intercept") plain(m)
    )
  })
})
three_level_t <- local({
  m <- multi("REML", "t")
  list(b = c(m$beta), se = m$se, low = m$ci.lb, high = m$ci.ub, p = m$pval, df = m$ddf)
})

robust_numbers <- function(m, cluster) {
  kinds <- c("CR0", "CR1", "CR1p", "CR2")
  sapply(kinds, simplify = FALSE, function(kind) {
    v <- vcovCR(m, cluster = cluster, type = kind)
    ct <- coef_test(m, vcov = v, cluster = cluster, test = "Satterthwaite")
    list(covariance = unclass(as.matrix(v))[seq_along(ct$beta), seq_along(ct$beta)],
         se = ct$SE, df = ct$df_Satt, p = ct$p_Satt)
  })
}
three_weights <- local({
  size <- table(data$schools$district)[data$schools$district]
  multi("REML", "z", ~ year, W = c(1 / size))
})
robustness <- list(
  three_level_intercept = robust_numbers(multi("REML", "z"), data$schools$district),
  three_level_year = robust_numbers(multi("REML", "z", ~ year), data$schools$district),
  two_level_year = robust_numbers(fit(data$schools, "REML", "z", mods = ~ year), data$schools$district),
  bcg_latitude = robust_numbers(fit(data$bcg, "DL", "z", mods = ~ latitude), data$bcg$allocation),
  own_weights = robust_numbers(
    fit(data$schools, "REML", "z", mods = ~ year, weights = sqrt(1 + seq_along(data$schools$y))),
    data$schools$district
  )
)
metafor_robust <- local({
  m <- robust(multi("REML", "z"), cluster = data$schools$district, adjust = TRUE)
  list(se = m$se, df = m$ddf, low = m$ci.lb, high = m$ci.ub, p = m$pval)
})
joint_wald <- local({
  m <- rma.mv(y, v, mods = ~ factor(year), random = ~ 1 | district / row, control = MULTI,
              data = cbind(as.data.frame(data$schools[c("y", "v", "district", "year")]), row = 1:56))
  w <- Wald_test(m, constraints = constrain_zero(2:m$p), vcov = vcovCR(m, type = "CR2"))
  list(statistic = w$Fstat, df = w$df_num, df_residual = w$df_denom, p = w$p_val)
})

own_weights_three <- list(
  b = c(three_weights$beta), se = three_weights$se, cluster = three_weights$sigma2[1],
  study = three_weights$sigma2[2]
)

bias_sets <- data[c("bcg", "smoke", "unequal")]
egger <- lapply(bias_sets, function(d) {
  sapply(c("lm", "rma"), simplify = FALSE, function(model) {
    sapply(c("sei", "vi"), simplify = FALSE, function(predictor) {
      r <- regtest(fit(d, "REML", "z"), model = model, predictor = predictor)
      slope <- if (model == "lm") unname(coef(summary(r$fit))[2, 1:2]) else c(r$fit$beta[2], r$fit$se[2])
      list(slope = slope[1], slope_se = slope[2], statistic = r$zval, p = r$pval,
           limit = r$est, limit_low = r$ci.lb, limit_high = r$ci.ub)
    })
  })
})
trim <- lapply(bias_sets, function(d) {
  sapply(c("L0", "R0"), simplify = FALSE, function(estimator) {
    sapply(c("auto", "left", "right"), simplify = FALSE, function(side) {
      m <- fit(d, "REML", "z")
      t <- trimfill(m, estimator = estimator, control = UNI, side = if (side == "auto") NULL else side)
      list(missing = t$k0, missing_se = t$se.k0, side = t$side, b = c(t$beta), se = t$se, tau2 = t$tau2,
           filled = as.list(sort(c(t$yi[t$fill]))))
    })
  })
})

selection_numbers <- function(m, ...) {
  s <- selmodel(m, type = "stepfun", ...)
  list(b = c(s$beta), se = s$se, tau2 = s$tau2, tau2_se = s$se.tau2, delta = s$delta, delta_se = s$se.delta,
       lr = s$LRT, lr_p = s$LRTp, log_likelihood = c(logLik(s)))
}
SELECTION <- list(optimizer = "optim", optmethod = "BFGS", reltol = 1e-15, maxit = 10000)
selection <- list(
  smoke = selection_numbers(fit(data$smoke, "ML", "z"), alternative = "greater", steps = 0.025, control = SELECTION),
  smoke_two_steps = selection_numbers(fit(data$smoke, "ML", "z"), alternative = "greater", steps = c(0.025, 0.5),
                                      control = SELECTION),
  bcg = selection_numbers(fit(data$bcg, "ML", "z"), alternative = "less", steps = 0.025, control = SELECTION),
  bcg_latitude = selection_numbers(fit(data$bcg, "ML", "z", mods = ~ latitude), alternative = "less",
                                   steps = 0.025, control = SELECTION)
)
excess <- lapply(bias_sets, function(d) {
  sapply(c("two.sided", "greater"), simplify = FALSE, function(alternative) {
    # The exact test walks through all subsets of studies: not for 37.
    test <- if (length(d$y) < 20) "exact" else "chi2"
    t <- tes(d$y, d$v, alternative = alternative, test = test, find.lim = FALSE)
    list(observed = t$O, expected = t$E, p = if (test == "exact") t$pval, effect = t$theta)
  })
})
leave_one_out <- local({
  l <- leave1out(fit(data$bcg, "REML", "knha"))
  list(b = l$estimate, low = l$ci.lb, high = l$ci.ub, tau2 = l$tau2)
})
cumulated <- local({
  l <- cumul(fit(data$bcg, "REML", "z"), order = data$bcg$year)
  list(b = c(l$estimate), tau2 = l$tau2)
})

result <- list(
  versions = list(R = R.version.string, metafor = as.character(packageVersion("metafor")),
                  clubSandwich = as.character(packageVersion("clubSandwich")),
                  metadat = as.character(packageVersion("metadat"))),
  data = data, grid = grid, riley = riley, q_profile = q_profile, regression = regression,
  q_profile_regression = q_profile_regression, own_weights = own_weights, three_level = three_level,
  three_level_t = three_level_t, own_weights_three = own_weights_three, robustness = robustness,
  metafor_robust = metafor_robust, joint_wald = joint_wald, egger = egger, trim_and_fill = trim,
  selection = selection, excess = excess, leave_one_out = leave_one_out, cumulative = cumulated
)
cat(toJSON(result, auto_unbox = TRUE, digits = NA, na = "null", null = "null"))
