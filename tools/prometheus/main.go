// Checks Prometheus files as Prometheus itself would, without building all of promtool: the arguments are a configuration
// and rule files, standard input is a JSON list of more expressions (a dashboard's). Prints a JSON list of the metrics named.
package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

func main() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	promql := parser.NewParser(parser.Options{})
	_, err := config.LoadFile(os.Args[1], false, log)
	failed(err)
	var expressions []string
	failed(json.NewDecoder(os.Stdin).Decode(&expressions))
	for _, file := range os.Args[2:] {
		groups, errs := rulefmt.ParseFile(file, false, model.UTF8Validation, promql, log)
		failed(errs...)
		for _, group := range groups.Groups {
			for _, rule := range group.Rules {
				expressions = append(expressions, rule.Expr)
			}
		}
	}
	names := []string{}
	for _, expression := range expressions {
		parsed, err := promql.ParseExpr(expression)
		failed(err)
		parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
			if selector, ok := node.(*parser.VectorSelector); ok {
				for _, matcher := range selector.LabelMatchers {
					if matcher.Name == labels.MetricName {
						names = append(names, matcher.Value)
					}
				}
			}
			return nil
		})
	}
	slices.Sort(names)
	failed(json.NewEncoder(os.Stdout).Encode(slices.Compact(names)))
}

func failed(errs ...error) {
	for _, err := range errs {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
