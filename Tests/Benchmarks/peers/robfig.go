// Nanoseconds per next fire of robfig/cron: robfig EXPRESSIONS. One line each: peer, name, ns.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron"
)

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	parser := cron.NewParser(
		cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		columns := strings.Split(lines.Text(), "\t")
		if strings.HasPrefix(lines.Text(), "#") || len(columns) != 6 {
			continue
		}
		schedule, err := parser.Parse(columns[2])
		zone, zoneErr := time.LoadLocation(columns[3])
		start, startErr := time.Parse(time.RFC3339, columns[4])
		calls, callsErr := strconv.Atoi(columns[5])
		if err != nil || zoneErr != nil || startErr != nil || callsErr != nil {
			fmt.Println("robfig", columns[0], "-")
			continue
		}
		best := time.Duration(1 << 62)
		for run := 0; run < 5; run++ {
			at := start.In(zone)
			begin := time.Now()
			for call := 0; call < calls && !at.IsZero(); call++ {
				at = schedule.Next(at)
			}
			if elapsed := time.Since(begin); elapsed < best {
				best = elapsed
			}
			if at.IsZero() {
				best = -1
				break
			}
		}
		if best < 0 {
			fmt.Println("robfig", columns[0], "-")
			continue
		}
		fmt.Println("robfig", columns[0], best.Nanoseconds()/int64(calls))
	}
}
