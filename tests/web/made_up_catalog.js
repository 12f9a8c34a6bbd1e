// SPDX-License-Identifier: Apache-2.0
// A catalog as `GET /api/catalog` answers it, made up, with what the page has to cope with: two runs, derived and ground variables,
// uneven steps, members, a 360-day calendar, a unit that no preset knows, and a file that could not be read.

const hour = (run, lead) => new Date(Date.parse(run) + lead * 3600e3).toISOString().replace(".000Z", "Z");

function variable(id, standardName, units, more = {}) {
  const vertical = more.vertical === undefined
    ? {kind: "hybrid_height", levels: 37, heights: [5, 40000], datum: "sea", map_error: 0.8} : more.vertical;
  return {
    id, name: id, standard_name: standardName, long_name: "", units, shape: vertical ? [37, 180, 160] : [180, 160], calendar: "standard",
    members: [""], epsilon: 0.05, derived: false, lattice: {v0: 0, step: 0.0999, epsilon: 0.05},
    pyramid: [{n: [160, 180, 37], scale: [1, 1, 1]}, {n: [80, 90, 37], scale: [2, 2, 1]}, {n: [40, 45, 37], scale: [4, 4, 1]}], ...more, vertical,
  };
}

function run(time, variables, leads, calendar, complete = true) {
  const times = leads.map((lead) => (typeof lead === "string" ? lead : hour(time, lead)));
  const series = Object.fromEntries(variables.map((v, i) => [v.id, {edition: `e${i}${time.slice(0, 10)}`, times, seconds: times.map((iso) => Date.parse(iso) / 1000), geometry: ["g"]}]));
  return {time, complete, series};
}

export function madeUpCatalog() {
  const uk = [
    variable("air_temperature", "air_temperature", "K", {long_name: "air temperature"}),
    variable("cloud_fraction", "cloud_area_fraction_in_atmosphere_layer", "1", {long_name: "cloud fraction", epsilon: 0.005}),
    variable("qcl", "mass_fraction_of_cloud_liquid_water_in_air", "kg kg-1", {epsilon: 1e-6}),
    variable("rain", "mass_fraction_of_rain_in_air", "kg kg-1", {epsilon: 1e-6}),
    variable("wind_speed", "wind_speed", "m s-1", {derived: true, epsilon: 0.1}),
    variable("tracer", "", "Bq m-3", {long_name: "tracer of no standing", epsilon: 0.01}),
    variable("mslp", "air_pressure_at_mean_sea_level", "Pa", {vertical: null, epsilon: 5, long_name: "pressure at mean sea level"}),
    variable("rain_rate", "precipitation_flux", "kg m-2 s-1", {vertical: null, epsilon: 2.5e-6}),
    variable("t2m", "air_temperature", "K", {vertical: null, long_name: "temperature at 1.5 m"}),
    variable("orography", "surface_altitude", "m", {vertical: null, epsilon: 0.1}),
  ];
  const leads = Array.from({length: 37}, (_, i) => i);
  const ukDataset = {
    id: "demo-uk", title: "Made-up forecast, UK", terrain: "orography", variables: uk,
    grid: {proj: "+proj=ob_tran", nx: 160, ny: 180, corners: [[-9, 49], [3, 49], [4, 60], [-11, 60]], angular: true, wraps: false, centre: [0, 0], km_per_unit: [111, 111]},
    runs: [run("2009-11-18T15:00:00Z", uk.slice(0, 3), leads.slice(0, 25), "standard"), run("2009-11-19T03:00:00Z", uk, leads, "standard")],
  };
  const climate = [variable("ta", "air_temperature", "K", {calendar: "360_day", members: ["0", "1", "2"], vertical: {kind: "pressure", levels: 7, heights: [110, 16000], datum: "sea", map_error: 12}})];
  const climateTimes = ["2049-02-28T00:00:00Z", "2049-02-29T00:00:00Z", "2049-02-30T00:00:00Z", "2049-03-05T00:00:00Z", "2049-03-20T12:00:00Z"];
  const climateDataset = {
    id: "climate", title: "Climate slice", terrain: null, variables: climate,
    grid: {proj: "+proj=longlat", nx: 96, ny: 73, corners: [[-180, -90], [180, -90], [180, 90], [-180, 90]], angular: true, wraps: true, centre: [0, 0], km_per_unit: [111, 111]},
    runs: [run("2049-02-28T00:00:00Z", climate, climateTimes, "360_day", false)],
  };
  return {
    datasets: [ukDataset, climateDataset],
    problems: [{file: "/data/broken.nc", variable: null, reason: "it is cut off: 4096 of 81920 bytes are there; copy it again"}],
  };
}
