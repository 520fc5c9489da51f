// Charts of a report: each <script type="application/json"> of a panel becomes a dygraph with a
// table of what the pointer is at. Without this script the page shows pictures in their place.
"use strict";

(function () {
  // Okabe and Ito's colours; on dark paper the dark ones are lighter.
  const light = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a8a8a"];
  const dark = ["#4aa3df", "#e69f00", "#1fc195", "#d98fb8", "#8fd0f5", "#f07f35", "#a5a5a5"];
  const dashes = [null, [7, 4], [2, 3], [9, 3, 2, 3]];
  const darkness = window.matchMedia("(prefers-color-scheme: dark)");

  function escape(text) {
    return text.replace(/[&<>"]/g, (c) => "&#" + c.charCodeAt(0) + ";");
  }

  function element(name, className, parent, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    if (parent) parent.appendChild(made);
    return made;
  }

  function short(value) {
    return String(Number(value.toPrecision(3)));
  }

  // Powers of ten, with more of what lies between them the fewer there are; 0 has its own place.
  function logTicks(chart) {
    const labelWidth = 52;  // [px]
    return function (low, high, pixels) {
      const ticks = [];
      const span = high - low;
      const room = pixels / labelWidth;
      const factors = room >= 22 * span ? [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9]
        : room >= 3.4 * span ? [1, 2, 5] : room >= 2.2 * span ? [1, 3] : [1];
      const step = Math.max(1, Math.ceil(span / room));
      const edge = chart.zero === undefined ? low : Math.max(low, chart.zero + 0.15);
      if (chart.zero !== undefined && chart.zero >= low && chart.zero <= high)
        ticks.push({ v: chart.zero, label: "0" });
      for (let power = Math.floor(low); power <= high; power += step)
        for (const factor of factors) {
          const place = power + Math.log10(factor);
          const last = ticks.length ? ticks[ticks.length - 1].v : -Infinity;
          const fits = (place - last) * pixels >= labelWidth * span;
          if (place >= edge - 1e-9 && place <= high + 1e-9 && fits)
            ticks.push({ v: place, label: short(factor * Math.pow(10, power)) });
        }
      return ticks;
    };
  }

  function makeReadout(panel, chart) {
    const line = element("p", "hint", panel);
    const hint = element("span", "", line);
    const reset = element("button", "", line, "whole range");
    reset.type = "button";
    const table = element("table", "readout", element("div", "readout-scroll", panel));
    const head = element("tr", "", element("thead", "", table));
    ["curve", "mean", "95 %", "chips", "trials"].forEach((title, i) =>
      element("th", i > 0 ? "number" : "", head, title));
    const body = element("tbody", "", table);
    const rows = chart.series.map((series) => {
      const row = element("tr", "", body);
      const label = element("label", "", element("td", "", row));
      const box = element("input", "", label);
      box.type = "checkbox";
      box.checked = true;
      const swatch = element("span", "swatch", label);
      element("span", "", label, series.name);
      return { box, swatch, cells: [0, 1, 2, 3].map(() => element("td", "number", row)) };
    });
    return { hint, reset, rows };
  }

  function show(readout, chart, row) {
    const at = row === null ? null : chart.rows[row];
    readout.hint.textContent = at
      ? chart.x_label + ": " + at[1]
      : "Point at a curve for its numbers, drag to zoom.";
    readout.rows.forEach((line, s) => {
      const value = at ? at[2][s] : null;
      const texts = value
        ? [value[1].toFixed(2), value[0].toFixed(1) + " to " + value[2].toFixed(1),
           value[3].toFixed(1) + " to " + value[4].toFixed(1), String(value[5])]
        : ["", "", "", ""];
      texts.forEach((text, i) => { line.cells[i].textContent = text; });
    });
  }

  // A curve of one point has no band, so it gets a whisker.
  function pointPainter(chart) {
    const counts = chart.series.map((_, s) => chart.rows.filter((row) => row[2][s]).length);
    return function (graph, name, context, x, y, colour, size, row) {
      const s = Number(name.slice(1));
      context.fillStyle = colour;
      context.beginPath();
      context.arc(x, y, size, 0, 2 * Math.PI);
      context.fill();
      const value = chart.rows[row] && chart.rows[row][2][s];
      if (counts[s] > 1 || !value) return;
      context.strokeStyle = colour;
      context.lineWidth = 1.5;
      context.beginPath();
      const ends = [value[0], value[2]].map((level) => graph.toDomYCoord(level));
      context.moveTo(x, ends[0]);
      context.lineTo(x, ends[1]);
      for (const end of ends) {
        context.moveTo(x - 5, end);
        context.lineTo(x + 5, end);
      }
      context.stroke();
    };
  }

  function draw(panel) {
    const chart = JSON.parse(panel.querySelector("script").textContent);
    const place = element("div", "chart", panel);
    const readout = makeReadout(panel, chart);
    const names = chart.series.map((_, s) => "s" + s);
    const rows = chart.rows.map((row) => [row[0]].concat(
      row[2].map((value) => (value ? value.slice(0, 3) : [null, null, null]))));
    const margin = 0.03 * (chart.window[1] - chart.window[0]);
    const whole = [chart.window[0] - margin, chart.window[1] + margin];
    const options = {
      labels: ["x"].concat(names),
      customBars: true,
      connectSeparatedPoints: true,
      drawPoints: true,
      pointSize: 3,
      strokeWidth: 2,
      fillAlpha: 0.2,
      highlightCircleSize: 5,
      legend: "never",
      dateWindow: whole,
      valueRange: chart.range,
      xlabel: escape(chart.x_label),
      ylabel: escape(chart.y_label),
      rightGap: 31,  // half a label: the last one stands under its tick
      axes: { x: { drawGrid: false, axisLabelWidth: 62 }, y: { axisLabelWidth: 46 } },
      drawPointCallback: pointPainter(chart),
      series: {},
      highlightCallback: (event, x, points, row) => show(readout, chart, row),
      unhighlightCallback: () => show(readout, chart, null),
    };
    names.forEach((name, s) => {
      options.series[name] = {
        strokePattern: dashes[Math.floor(chart.series[s].colour / light.length) % dashes.length],
      };
    });
    if (chart.log) options.axes.x.ticker = logTicks(chart);
    Object.assign(options, colours(chart, readout));
    show(readout, chart, null);
    const graph = new Dygraph(place, rows, options);
    readout.reset.addEventListener("click", () =>
      graph.updateOptions({ dateWindow: whole, valueRange: chart.range }));
    readout.rows.forEach((line, s) =>
      line.box.addEventListener("change", () => graph.setVisibility(s, line.box.checked)));
    darkness.addEventListener("change", () => graph.updateOptions(colours(chart, readout)));
    return graph;
  }

  function colours(chart, readout) {
    const all = darkness.matches ? dark : light;
    const its = chart.series.map((series) => all[series.colour % all.length]);
    readout.rows.forEach((line, s) => { line.swatch.style.background = its[s]; });
    return {
      colors: its,
      axisLineColor: darkness.matches ? "#8c8c8a" : "#1a1a1a",
      gridLineColor: darkness.matches ? "#3a3c3f" : "#d0d0d0",
    };
  }

  let drawn = 0;
  document.querySelectorAll(".charts").forEach((charts) => {
    charts.hidden = false;  // a chart needs to know its width
    charts.querySelectorAll(".panel").forEach((panel) => {
      draw(panel);
      ++drawn;
    });
    charts.parentNode.querySelector("details").open = false;
  });
  document.documentElement.dataset.charts = String(drawn);
})();
