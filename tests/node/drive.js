// Drives a GTP engine with @sabaki/gtp, as Sabaki does, and prints what happened as JSON.
//
// Usage: node drive.js PLAN.json. The plan holds the engine's path and args and a list of steps:
//   {sync: {komi, boardsize, history}, show: true}   sync to a position, then show the board
//   {send: {name, args}}                             send one command
//   {analyze: {name, args}, lines, interrupt}        read so many lines, then send the interrupt

const fs = require('fs')
const {ControllerStateTracker, Controller} = require('@sabaki/gtp')

const plan = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'))
const controller = new Controller(plan.path, plan.args)
const tracker = new ControllerStateTracker(controller)
const report = {errors: [], syncErrors: [], sent: [], results: []}

controller.on('command-sent', ({command}) => report.sent.push(command.name))
controller.on('response-received', ({command, response}) => {
  if (response.error) report.errors.push({command, content: response.content})
})

async function analyze({analyze, lines, interrupt}) {
  let seen = 0
  let reached
  const enough = new Promise(resolve => (reached = resolve))
  const ended = controller.sendCommand(analyze, ({line}) => {
    if (line.startsWith('info ') && ++seen === lines) reached()
  })
  await enough
  const answer = await controller.sendCommand(interrupt)
  const {content} = await ended
  return {content, answer: answer.content}
}

async function step(item) {
  if (item.sync) {
    try {
      await tracker.sync(item.sync)
    } catch (err) {
      report.syncErrors.push({sync: item.sync, message: err.message})
    }
  }
  if (item.show) return (await controller.sendCommand({name: 'showboard'})).content
  if (item.send) return (await tracker.queueCommand(item.send)).content
  if (item.analyze) return await analyze(item)
  return null
}

async function main() {
  controller.start()
  report.start = await Promise.all(
    ['name', 'version', 'protocol_version', 'list_commands'].map(name =>
      controller.sendCommand({name}).then(response => response.content)
    )
  )
  for (const item of plan.steps) report.results.push(await step(item))
  report.state = tracker.state
  await controller.stop()
  console.log(JSON.stringify(report))
}

main()
