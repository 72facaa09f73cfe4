module.exports = require("./temporary-folder.js").teardown;
